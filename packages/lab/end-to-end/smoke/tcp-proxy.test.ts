import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { MS } from '../allowance.ts';

/** Longer than anything takes that goes through at once. */
const A_WHILE = 200 * MS;

/** One end of a connection, with all that it is told. */
class End {
  readonly socket: Socket;
  readonly news: string[] = [];
  text = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.text += bytes;
    });
    for (const name of ['end', 'error', 'close']) socket.on(name, () => this.news.push(name));
  }
}

let server: Server;
let proxy: TcpProxy;
let accepted: End[];
let dialled: Socket[];

/** Dials through the proxy. Resolves when the server has accepted. */
async function dial(): Promise<{ client: End; peer: End }> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  dialled.push(socket);
  await once(server, 'connection');
  return { client: new End(socket), peer: accepted.at(-1) as End };
}

async function until(isSo: () => boolean): Promise<void> {
  await expect.poll(isSo, { timeout: 10_000 * MS, interval: 2 }).toBe(true);
}

/** How long one round trip takes. */
async function roundTrip(client: End, peer: End): Promise<number> {
  peer.socket.once('data', (bytes) => peer.socket.write(bytes));
  const startedAt = performance.now();
  client.socket.write('?');
  await once(client.socket, 'data');
  return performance.now() - startedAt;
}

/** How long the fastest of a few takes: of those, one at least is not held up by a busy machine. */
async function fastestTrip(client: End, peer: End): Promise<number> {
  const trips: number[] = [];
  for (let trip = 0; trip < 5; trip += 1) trips.push(await roundTrip(client, peer));
  return Math.min(...trips);
}

beforeEach(async () => {
  accepted = [];
  dialled = [];
  server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new End(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.listen({ to: (server.address() as AddressInfo).port });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of [...dialled, ...accepted.map((end) => end.socket)]) socket.destroy();
  server.close();
});

describe('TcpProxy', () => {
  it('carries bytes both ways', async () => {
    const { client, peer } = await dial();
    client.socket.write('hither');
    peer.socket.write('thither');
    await until(() => peer.text === 'hither' && client.text === 'thither');
    expect(proxy.flows).toBe(1);
  });

  it('carries a large stream whole, however slowly it is read', async () => {
    const { client, peer } = await dial();
    const sent = randomBytes(8_000_000);
    const hash = createHash('sha256');
    peer.socket.on('data', (bytes) => hash.update(bytes));
    peer.socket.pause();
    client.socket.end(sent);
    await sleep(A_WHILE);
    peer.socket.resume();
    await until(() => peer.news.includes('end'));
    expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  });

  it('passes on the end of one direction while the other goes on', async () => {
    const { client, peer } = await dial();
    client.socket.end('last words');
    await until(() => peer.news.includes('end'));
    peer.socket.end('answer');
    await until(() => client.news.includes('close'));
    expect([peer.text, client.text]).toEqual(['last words', 'answer']);
    await until(() => proxy.flows === 0);
  });

  it('passes on a reset', async () => {
    const { client, peer } = await dial();
    client.socket.resetAndDestroy();
    await until(() => peer.news.length > 0);
    await until(() => proxy.flows === 0);
  });

  it('ends a flow whose server refuses it', async () => {
    server.close();
    const socket = connect({ port: proxy.port, host: '127.0.0.1' });
    await once(socket, 'close');
    await until(() => proxy.flows === 0);
  });
});

describe('a cut', () => {
  it('lets nothing through, and neither side notices', async () => {
    const { client, peer } = await dial();
    expect(await fastestTrip(client, peer)).toBeLessThan(A_WHILE);
    const before = [client.text, peer.text];
    proxy.cut();
    const acknowledged = [client, peer].map(
      ({ socket }) => new Promise((resolve) => socket.write('into the void', resolve)),
    );
    await Promise.all(acknowledged);
    await sleep(A_WHILE);
    expect([client.text, peer.text]).toEqual(before);
    expect([...client.news, ...peer.news]).toEqual([]);
    expect(client.socket.readyState).toBe('open');
    expect(proxy.flows).toBe(0);
  });

  it('holds what was delayed back for ever', async () => {
    proxy.delay = 1_000 * MS;
    const { client, peer } = await dial();
    peer.socket.write('late');
    await sleep(20 * MS);
    proxy.cut();
    await sleep(1_200 * MS);
    expect(client.text).toBe('');
  });

  it.each([
    ['FIN', (socket: Socket) => socket.end()],
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
  ])('does not pass on a %s', async (_name, leave) => {
    const one = await dial();
    const other = await dial();
    proxy.cut();
    leave(one.client.socket);
    leave(other.peer.socket);
    await sleep(A_WHILE);
    expect([...one.peer.news, ...other.client.news]).toEqual([]);
  });

  it('lets new flows pass', async () => {
    await dial();
    proxy.cut();
    const { client, peer } = await dial();
    expect(await fastestTrip(client, peer)).toBeLessThan(A_WHILE);
    expect(proxy.flows).toBe(1);
  });

  it('is over when both ends have left', async () => {
    const { client, peer } = await dial();
    proxy.cut();
    client.socket.end();
    peer.socket.end();
    await until(() => client.news.includes('close') && peer.news.includes('close'));
  });
});

describe('a delay', () => {
  it('loses no last words', async () => {
    proxy.delay = 50 * MS;
    const { client, peer } = await dial();
    client.socket.end();
    peer.socket.end('last words');
    await until(() => client.news.includes('close'));
    expect(client.text).toBe('last words');
  });

  it('is added to the round trip, of new flows too', async () => {
    const { client, peer } = await dial();
    expect(await fastestTrip(client, peer)).toBeLessThan(100 * MS);
    proxy.delay = 100 * MS;
    expect(await roundTrip(client, peer)).toBeGreaterThanOrEqual(100 * MS);
    const later = await dial();
    expect(await roundTrip(later.client, later.peer)).toBeGreaterThanOrEqual(100 * MS);
    proxy.delay = 0;
    expect(await fastestTrip(client, peer)).toBeLessThan(100 * MS);
  });

  it('keeps the order when it is lowered', async () => {
    const { client, peer } = await dial();
    proxy.delay = 100 * MS;
    peer.socket.write('first ');
    await sleep(20 * MS);
    proxy.delay = 0;
    peer.socket.end('second');
    await until(() => client.news.includes('end'));
    expect(client.text).toBe('first second');
  });
});

describe('a freeze', () => {
  it('holds everything back and loses nothing', async () => {
    const { client, peer } = await dial();
    proxy.freeze();
    client.socket.write('held ');
    await sleep(A_WHILE);
    client.socket.end('back');
    await sleep(A_WHILE);
    expect([peer.text, ...peer.news]).toEqual(['']);
    proxy.resume();
    await until(() => peer.news.includes('end'));
    expect(peer.text).toBe('held back');
  });

  it('holds new flows too', async () => {
    proxy.freeze();
    const { client, peer } = await dial();
    client.socket.write('held');
    await sleep(A_WHILE);
    expect(peer.text).toBe('');
    proxy.resume();
    await until(() => peer.text === 'held');
  });

  it('does not outlast a cut', async () => {
    const { client, peer } = await dial();
    proxy.freeze();
    client.socket.write('lost');
    proxy.cut();
    proxy.resume();
    await sleep(A_WHILE);
    expect(peer.text).toBe('');
  });
});

describe('a cut in one direction', () => {
  it.each([
    ['outward', 'peer', 'client'],
    ['homeward', 'client', 'peer'],
  ] as const)('loses what goes %s, and nothing else', async (direction, loser, other) => {
    const ends = await dial();
    proxy.cut(direction);
    ends[other].socket.write('lost');
    ends[loser].socket.write('arrives');
    await until(() => ends[other].text === 'arrives');
    await sleep(A_WHILE);
    expect([ends[loser].text, ...ends[loser].news]).toEqual(['']);
    expect(proxy.flows).toBe(1);
  });

  it('passes on no FIN and no reset that way', async () => {
    const { client, peer } = await dial();
    proxy.cut('outward');
    client.socket.resetAndDestroy();
    await sleep(A_WHILE);
    expect(peer.news).toEqual([]);
  });
});

describe('jitter', () => {
  it('moves each piece by chance, and none before another', async () => {
    proxy.worsen({ jitter: 60 * MS }, 'homeward');
    const { client, peer } = await dial();
    const trips: number[] = [];
    for (let trip = 0; trip < 12; trip += 1) trips.push(await roundTrip(client, peer));
    expect(Math.max(...trips) - Math.min(...trips)).toBeGreaterThan(10 * MS);
    const words = Array.from({ length: 20 }, (_, index) => `${index} `);
    client.text = '';
    for (const word of words) {
      peer.socket.write(word);
      await sleep(1);
    }
    await until(() => client.text === words.join(''));
  });
});

describe('a rate', () => {
  it('lets so many bytes through in a second, one way', async () => {
    proxy.worsen({ bytesPerSecond: 30_000 / MS }, 'homeward');
    const { client, peer } = await dial();
    const startedAt = performance.now();
    peer.socket.write(Buffer.alloc(60_000));
    client.socket.write(Buffer.alloc(60_000));
    await until(() => peer.text.length === 60_000);
    expect(client.text.length).toBeLessThan(60_000);
    await until(() => client.text.length === 60_000);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_900 * MS);
  });

  it('holds a sender up who sends faster', async () => {
    proxy.worsen({ bytesPerSecond: 10_000 / MS }, 'outward');
    const { client } = await dial();
    client.socket.write(Buffer.alloc(32_000_000)); // more than the kernels hold
    await sleep(A_WHILE);
    expect(client.socket.writableLength).toBeGreaterThan(0);
  });
});

describe('a limit', () => {
  it("of the server's silence ends a flow though its client goes on sending", async () => {
    proxy.limits = { serverSilence: 150 * MS };
    const { client, peer } = await dial();
    const timer = setInterval(() => client.socket.write('I live'), 20 * MS);
    await until(() => client.news.includes('end') && peer.news.includes('end'));
    clearInterval(timer);
    expect(peer.text).toContain('I live');
  });

  it("of the server's silence spares a flow whose server speaks", async () => {
    proxy.limits = { serverSilence: 500 * MS };
    const { client, peer } = await dial();
    const timer = setInterval(() => peer.socket.write('I live'), 20 * MS);
    await sleep(1_200 * MS);
    clearInterval(timer);
    expect(client.news).toEqual([]);
    await until(() => client.news.includes('end'));
  });

  it("of the client's silence looks at the other side", async () => {
    proxy.limits = { clientSilence: 150 * MS };
    const { client, peer } = await dial();
    const timer = setInterval(() => peer.socket.write('I live'), 20 * MS);
    await until(() => client.news.includes('end') && peer.news.includes('end'));
    clearInterval(timer);
  });

  it('of age ends a flow in use', async () => {
    proxy.limits = { age: 1_000 * MS };
    const { client, peer } = await dial();
    proxy.limits = {};
    const younger = await dial();
    await roundTrip(client, peer);
    await until(() => client.news.includes('end') && peer.news.includes('end'));
    expect(await fastestTrip(younger.client, younger.peer)).toBeLessThan(A_WHILE);
  });
});

describe('an end', () => {
  it('by FIN reaches both sides', async () => {
    const { client, peer } = await dial();
    proxy.finish();
    await until(() => client.news.includes('end') && peer.news.includes('end'));
    expect([...client.news, ...peer.news]).not.toContain('error');
  });

  it('by RST reaches both sides as an error', async () => {
    const { client, peer } = await dial();
    proxy.reset();
    await until(() => client.news.includes('error') && peer.news.includes('error'));
  });
});

describe('a deaf proxy', () => {
  it('accepts, and says nothing', async () => {
    proxy.isDeaf = true;
    const client = new End(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
    dialled.push(client.socket);
    await once(client.socket, 'connect');
    client.socket.write('anybody?');
    await sleep(A_WHILE);
    expect([accepted.length, client.text, ...client.news]).toEqual([0, '']);
    proxy.isDeaf = false;
    const heard = await dial();
    expect(await fastestTrip(heard.client, heard.peer)).toBeLessThan(A_WHILE);
  });
});
