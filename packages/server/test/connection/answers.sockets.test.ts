// With `answer: 'bridge'`, the answer of a page waits for a Pong of its WebSocket layer.
import { describe, expect, it } from 'vitest';
import { connect, MS, onlyConnection, RawClient, serve } from '../server-side.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const BRIDGE = { answer: 'bridge', advertise: false } as const;

describe('a server with `answer: bridge`', () => {
  it('answers the pings of a client of `ws`', async () => {
    const stage = await serve(BRIDGE);
    const { client, received } = await connect(stage);
    for (const id of ['a', 'b', 'c']) client.send(`${PING}.${id};v=1`);
    client.send(PING);
    await received.find((text) => text === PONG);
    const pongs = received.entries.filter((text) => text.startsWith('\u0006'));
    expect(pongs).toEqual([`${PONG}.a`, `${PONG}.b`, `${PONG}.c`, PONG]);
  });

  it('sends no pong to a client that has stopped reading protocol frames', async () => {
    const stage = await serve({ ...BRIDGE, pingTimeout: 400 * MS });
    const client = new RawClient(stage); // it answers no Ping
    await onlyConnection(stage);
    client.sendText(`${PING}.a;v=1`);
    await stage.log.find(([name]) => name === 'dead');
    const texts = client.frames.entries.map(({ payload }) => String(payload));
    expect(texts.filter((text) => text.startsWith('wb-')).length).toBeGreaterThanOrEqual(2);
    expect(texts.filter((text) => text.startsWith('\u0006'))).toEqual([]);
  });

  it('sends it once the Ping is answered', async () => {
    const stage = await serve(BRIDGE);
    const client = new RawClient(stage);
    await onlyConnection(stage);
    client.sendText(`${PING}.a;v=1`);
    const isBridged = (payload: Buffer) => /^wb-\w+\.b1$/.test(String(payload));
    const { payload } = await client.frames.find((frame) => isBridged(frame.payload));
    const isPong = (frame: { readonly payload: Buffer }) => String(frame.payload) === `${PONG}.a`;
    expect(client.frames.entries.some(isPong)).toBe(false);
    client.tcp.write(
      Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]),
    );
    await client.frames.find(isPong);
  });
});
