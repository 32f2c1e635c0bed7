import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { refusalOf } from '../../../core/test/refusal.ts';
import { createGateway, type GatewayOptions } from '../../src/gateway/index.ts';
import { atEnd, MS, RawClient } from '../server-side.ts';
import { frameOf, MASK } from './frames.ts';
import { emitted, openPage, stage } from './gateway-stage.ts';

/** As it is built: a process of its own cannot read TypeScript. */
const GATEWAY = new URL('../../dist/gateway.js', import.meta.url).href;

/** Whether a page is let in, or the status with which it is refused. */
async function refusedOrOpen(port: number): Promise<number | undefined | 'open'> {
  const page = new WebSocket(`ws://127.0.0.1:${port}/`);
  page.on('error', () => {});
  const open = once(page, 'open').then(() => 'open' as const);
  const refusal = once(page, 'unexpected-response').then(([, { statusCode }]) => statusCode);
  try {
    return await Promise.any([open, refusal]);
  } finally {
    page.terminate();
  }
}

/** The status with which a page is refused. */
async function refused(port: number): Promise<number | undefined> {
  const page = new WebSocket(`ws://127.0.0.1:${port}/`);
  page.on('error', () => {});
  const [, response] = await once(page, 'unexpected-response');
  page.terminate();
  return response.statusCode;
}

describe('the limits of a gateway', () => {
  it('accept so many connections and no more, and the next once one has ended', async () => {
    const play = await stage({ maxConnections: 2 });
    const { page } = await openPage(play);
    await openPage(play);
    expect(await refused(play.port)).toBe(503);
    expect(play.gateway.status().counters.refused['too-many']).toBe(1);
    page.close();
    await emitted(play.events, 'end');
    await openPage(play);
    expect(play.gateway.status().open).toBe(2);
  });

  it('count handshakes in progress', async () => {
    let letIn = (_: boolean) => {};
    const verdict = new Promise<boolean>((resolve) => {
      letIn = resolve;
    });
    const play = await stage({ maxConnections: 1, allow: () => verdict });
    const first = openPage(play);
    while (play.gateway.status().handshaking === 0) await new Promise(setImmediate);
    expect(await refused(play.port)).toBe(503);
    letIn(true);
    await first;
  });

  it('accept no connection while too much of the heap is in use, and keep the open ones', async () => {
    const play = await stage({ maxHeapBytes: 1 });
    expect(await refused(play.port)).toBe(503);
    expect(await emitted(play.events, 'refuse')).toMatchObject({ reason: 'memory', status: 503 });
    const { gateway: roomy, port } = await stage({ maxHeapBytes: false });
    expect(await refusedOrOpen(port)).toBe('open');
    expect(roomy.status().counters.refused.memory).toBe(0);
  });

  it('are by default what the heap can hold: one connection for each 64 KiB', () => {
    const script = `
      import { createGateway } from ${JSON.stringify(GATEWAY)};
      const gateway = createGateway({ upstream: 'ws://127.0.0.1:1' });
      const { maxConnections, maxHeapBytes } = gateway.status();
      console.log(maxConnections, maxHeapBytes);`;
    const limitsWith = (mebibytes: number) => {
      const flags = [`--max-old-space-size=${mebibytes}`, '--input-type=module', '-e', script];
      return String(execFileSync(process.execPath, flags)).trim().split(' ').map(Number);
    };
    expect(limitsWith(64)).toEqual([1_024, 48 * 1_048_576]);
    expect(limitsWith(256)).toEqual([4_096, 192 * 1_048_576]);
  });

  it('drop TCP connections beyond 1.25 times the limit before they send a request', async () => {
    const play = await stage({ maxConnections: 1 });
    const sockets = Array.from({ length: 1 + 64 + 8 }, () => connect(play.port, '127.0.0.1'));
    for (const socket of sockets) {
      atEnd(() => socket.destroy());
      socket.on('error', () => {});
    }
    let dropped = 0;
    await new Promise<void>((resolve) => {
      for (const socket of sockets) {
        socket.once('close', () => {
          dropped += 1;
          if (dropped === 8) resolve();
        });
      }
    });
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => refusedOrOpen(play.port)).toBe('open');
  });

  it('close with 1009 for a message that is too long, also in fragments, and leave others alone', async () => {
    const play = await stage({ maxMessageBytes: 1_000 });
    const bystander = await openPage(play);
    const { page, arrived } = await openPage(play);
    page.send('x'.repeat(1_000));
    page.send('x'.repeat(600), { fin: false });
    page.send('x'.repeat(401), { fin: true });
    const [code] = await once(page, 'close');
    expect(code).toBe(1009);
    expect(arrived.entries).toEqual([['text', 'x'.repeat(1_000)]]);
    expect(await emitted(play.events, 'end')).toMatchObject({
      reason: 'too-big',
      error: { code: 'ERR_FRAME', side: 'page', closeCode: 1009 },
    });
    bystander.page.send('well');
    expect(await bystander.arrived.find()).toEqual(['text', 'well']);
  });

  it('read little of what a page sends before it is accepted, and then all of it', async () => {
    let read = -1;
    const play = await stage(
      {
        allow: async ({ socket }) => {
          while (read !== socket.bytesRead) {
            read = socket.bytesRead;
            await new Promise((resolve) => setTimeout(resolve, 200 * MS));
          }
          return true;
        },
      },
      { maxPayload: 0 },
    );
    const early = new RawClient(play);
    early.tcp.write(frameOf({ opcode: 2, payload: Buffer.alloc(5_000_000), mask: MASK }));
    const far = await play.accepted.find();
    const [message] = await once(far, 'message');
    expect(message.length).toBe(5_000_000);
    expect(read).toBeLessThan(250_000); // 16 KiB and a read, and what Node's parser has taken
  });

  it('drop clients that send no complete request in time', async () => {
    const play = await stage({ handshakeTimeout: 200 * MS });
    const slow = connect(play.port, '127.0.0.1');
    atEnd(() => slow.destroy());
    slow.on('error', () => {});
    slow.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n');
    let answer = '';
    slow.on('data', (chunk) => {
      answer += chunk;
    });
    await once(slow, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(play.requests).toEqual([]);
  });
});

describe('one page', () => {
  it('that breaks the protocol receives 1002, its upstream sees 1006, and others nothing', async () => {
    const play = await stage();
    const bystander = await openPage(play);
    const client = new RawClient(play);
    const far = await play.accepted.find(() => true, 2);
    const ended = once(far, 'close');
    client.tcp.write(frameOf({ opcode: 3, mask: MASK }));
    const { payload } = await client.frames.find(({ opcode }) => opcode === 8);
    expect([payload.readUInt16BE(), payload.toString('utf8', 2)]).toEqual([
      1002,
      '§5.2: the opcode 3',
    ]);
    expect((await ended)[0]).toBe(1006);
    bystander.page.send('well');
    expect(await bystander.arrived.find()).toEqual(['text', 'well']);
  });
});

describe('the options of a gateway', () => {
  const upstream = 'ws://127.0.0.1:1';
  it.each<[string, unknown]>([
    ['upstream', 'nowhere'],
    ['allow', true],
    ['tls', 'yes'],
    ['endToEnd', 'yes'],
    ['maxConnections', -1],
    ['maxHeapBytes', 0.5],
    ['maxMessageBytes', 0.5],
    ['handshakeTimeout', 0],
    ['connectTimeout', -1],
    ['closeTimeout', false],
    ['pingInterval', 0],
    ['pingTimeout', 'long'],
    ['advertise', { pingInterval: 1 }],
    ['session', { user: () => 1 }],
    ['whenDead', 'report'],
  ])('refuse a %s of %j', (option, value) => {
    const refusal = refusalOf(() => createGateway({ upstream, [option]: value } as GatewayOptions));
    expect(refusal.option).toBe(option === 'advertise' ? 'pingInterval' : option);
  });

  it('refuse an unknown one of the upstream as well', () => {
    const upstreamHeartbeat = { pingTimeout: -1 };
    expect(refusalOf(() => createGateway({ upstream, upstreamHeartbeat })).option).toBe(
      'pingTimeout',
    );
    const unknown = { maxSilence: 1 } as object;
    expect(refusalOf(() => createGateway({ upstream, upstreamHeartbeat: unknown })).option).toBe(
      'maxSilence',
    );
  });

  it('do nothing before the gateway is used', () => {
    const gateway = createGateway({ upstream });
    expect(gateway.status()).toMatchObject({
      state: 'running',
      open: 0,
      handshaking: 0,
      latency: {},
    });
  });
});
