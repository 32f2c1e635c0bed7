// Real servers of other protocols, and their official clients over sockets with a heartbeat.
import { attachHeartbeat, type SocketHeartbeat } from '@wirebeat/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CLIENTS, type OfficialClient } from '../../dialects/clients.mjs';
import { lacksServer, RealServer } from '../../dialects/real-server.ts';
import { SUBJECTS, type Subject } from '../../dialects/subjects.ts';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { allowance, MS } from '../allowance.ts';

const TIMING = { pingInterval: 300 * MS, pingTimeout: 500 * MS };
/** Of servers that send their heartbeat by themselves. */
const SERVER_TIMING = { interval: TIMING.pingInterval, timeout: TIMING.pingTimeout };
const MAX_SILENCE = 3 * TIMING.pingInterval;

/** Messages of an application that look like a heartbeat. */
const LOOK_ALIKES = ['PONG', '{"type":"pong"}', '\u0005wb', '\u0006wb', '3', 'PING\r\n', '{}'];

interface Watched {
  readonly heartbeat: SocketHeartbeat;
  readonly dead: { silentFor: number }[];
  readonly stalls: number[];
}

/** A class of sockets with a heartbeat, which notes what they send. */
function watchedSockets(subject: Subject) {
  const watched: Watched[] = [];
  const sent: Buffer[] = [];
  const dialect = subject.dialect(MAX_SILENCE);
  class WatchedSocket extends WebSocket {
    constructor(address: string, protocols?: string | string[]) {
      super(address, protocols);
      const { send } = this;
      this.send = (data: never, ...rest: never[]) => {
        sent.push(Buffer.from(data));
        Reflect.apply(send, this, [data, ...rest]);
      };
      const heartbeat = attachHeartbeat(this as never, { ...TIMING, dialect });
      const entry: Watched = { heartbeat, dead: [], stalls: [] };
      heartbeat.on('stall', ({ lateBy }) => entry.stalls.push(lateBy));
      heartbeat.on('dead', (event) => entry.dead.push(event));
      this.on('error', () => {}); // some clients close sockets that are not open yet
      watched.push(entry);
    }
  }
  const last = () => watched.at(-1) as Watched;
  return { WatchedSocket, watched, sent, last };
}

describe.each(SUBJECTS)('$title, server and client', (subject) => {
  const isMissing = lacksServer(subject.server);
  if (isMissing) console.warn(`SKIPPED: ${subject.title} is missing`);
  let server: RealServer;
  let proxy: TcpProxy;
  let client: OfficialClient | undefined;
  const sockets = watchedSockets(subject);

  beforeAll(async () => {
    if (isMissing) return;
    server = await RealServer.start(subject.server, SERVER_TIMING);
    proxy = await TcpProxy.listen({ to: server.ports[subject.port ?? 'ws'] as number });
    const url = `ws://127.0.0.1:${proxy.port}${subject.path ?? '/'}`;
    client = await CLIENTS[subject.client](url, sockets.WatchedSocket);
  });
  afterAll(async () => {
    await client?.end();
    await proxy?.close();
    await server?.end();
  });

  const echo = async (text: string) => expect(await client?.echo(text)).toBe(text);

  /** Does what makes the link dead. Resolves when the heartbeat of the last socket has noticed. */
  async function notices(fault: () => void): Promise<void> {
    const it = sockets.last();
    const { detectionBound } = it.heartbeat;
    expect(detectionBound).toBeLessThan(15_000 * MS);
    fault();
    await expect.poll(() => it.dead.length, { timeout: 2 * detectionBound * MS }).toBe(1);
    const bound = detectionBound + allowance(it.stalls, TIMING.pingTimeout);
    expect(it.dead[0]?.silentFor).toBeLessThanOrEqual(bound);
  }

  it.skipIf(isMissing)('show a latency, and leave the application alone', async () => {
    for (const text of LOOK_ALIKES) await echo(text);
    const { heartbeat } = sockets.last();
    if (subject.asks) {
      await expect.poll(() => heartbeat.latency).toBeGreaterThan(0);
      expect(await heartbeat.ping()).toBeGreaterThan(0);
    } else await expect(heartbeat.ping()).rejects.toThrow('has no place for pings');
    await new Promise((resolve) => setTimeout(resolve, 4 * TIMING.pingInterval));
    for (const text of LOOK_ALIKES) await echo(text);
    expect(heartbeat.status).toBe('alive');
    expect(sockets.watched).toHaveLength(1);
  });

  it.skipIf(isMissing)('notice a silent cut within the bound, and reconnect', async () => {
    await echo('before');
    const before = sockets.last();
    await notices(() => proxy.cut());
    await echo('after');
    expect(sockets.last()).not.toBe(before);
  });

  it.skipIf(isMissing)('notice a server that is stopped, and come back with it', async () => {
    await echo('before');
    try {
      await notices(() => server.stop());
    } finally {
      server.goOn();
    }
    await echo('after');
  });

  it.skipIf(isMissing)('are never sent a ping of wirebeat', () => {
    expect(sockets.sent.length).toBeGreaterThan(0);
    expect(sockets.sent.filter((data) => data[0] === 5 && data.includes('wb'))).toEqual([]);
  });
});
