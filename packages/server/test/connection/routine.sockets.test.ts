// Routine pings and pongs are whole frames, written to the socket of a connection beside `ws`.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { connect, MS, onlyConnection, RawClient, serve } from '../server-side.ts';

const FAST = {
  pingInterval: 50 * MS,
  pingTimeout: 2_000 * MS,
  jitter: 0,
  advertise: false,
} as const;

describe('the routine pings of a real connection', () => {
  it('are answered by a client of `ws`, and measured', async () => {
    const stage = await serve(FAST);
    const { client } = await connect(stage);
    await stage.pongs.find(() => true, 4);
    const { connection } = await onlyConnection(stage);
    expect(connection.status).toBe('alive');
    expect(connection.transportLatency).toBeGreaterThan(0);
    client.send('over');
    await stage.log.find(([name, data]) => name === 'message' && data === 'over');
  });

  it('leave compressed messages whole, in order and without reserved bits', async () => {
    const stage = await serve(FAST, { perMessageDeflate: { threshold: 0 } });
    const { client, received } = await connect(stage, { perMessageDeflate: true });
    const { socket } = await onlyConnection(stage);
    const texts = Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(20_000)}`);
    for (const [index, text] of texts.entries()) {
      socket.send(text);
      if (index % 8 === 0) await stage.pongs.find(() => true, index / 8 + 1);
    }
    await received.find((text) => text.startsWith('39 '));
    expect(received.entries).toEqual(texts);
    expect(client.readyState).toBe(client.OPEN);
  });

  it('may stand between the fragments of a message, where no text may', async () => {
    const stage = await serve(FAST);
    const client = new RawClient(stage);
    await once(stage.server, 'connection');
    client.sendText('\u0005wb.1;v=1'); // so that its page is asked too
    const { socket } = await onlyConnection(stage);
    await client.frames.find(({ opcode }) => opcode === 1);
    socket.send('begin ', { fin: false });
    const { length } = client.frames.entries;
    await client.frames.find(({ opcode }) => opcode === 9, 3);
    const between = client.frames.entries.slice(length).filter(({ opcode }) => opcode === 1);
    expect(
      between.map(({ payload }) => String(payload)).filter((text) => text !== 'begin '),
    ).toEqual([]);
    socket.send('end', { fin: true });
    await client.frames.find(({ opcode }) => opcode === 0);
  });
});
