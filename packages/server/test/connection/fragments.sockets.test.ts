import { once } from 'node:events';
import { attachHeartbeat } from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { atEnd, connect, Log, MS, onlyConnection, serve } from '../server-side.ts';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms * MS));

describe('a message that an application sends in fragments', () => {
  it('arrives whole from a server whose clients ping meanwhile, and they are answered after it', async () => {
    const stage = await serve();
    const { client, received } = await connect(stage);
    client.send('\u0005wb.1;v=1');
    await received.find((text) => text.startsWith('\u0006wb.1'));
    const { socket } = await onlyConnection(stage);
    socket.send('one ', { fin: false });
    for (const id of ['2', '3']) client.send(`\u0005wb.${id}`);
    client.send('read');
    await stage.log.find(([name]) => name === 'message'); // so the pings have been read too
    socket.send('two ', { fin: false });
    await sleep(50);
    socket.send('three');
    await received.find((text) => text === '\u0006wb.3');
    const pings = received.entries.filter((text) => !text.startsWith('\u0005'));
    expect(pings.slice(1)).toEqual(['one two three', '\u0006wb.3']);
  });

  it('arrives whole from a client that pings and is pinged meanwhile', async () => {
    const stage = await serve();
    const client = new WebSocket(`ws://127.0.0.1:${stage.port}`);
    atEnd(() => client.terminate());
    const heartbeat = attachHeartbeat(client);
    await once(client, 'open');
    await heartbeat.ping();
    const { connection } = await onlyConnection(stage);
    const pinged: Log<true> = new Log();
    client.on('error', () => {});
    client.send('one ', { fin: false });
    const latencies = [heartbeat.ping(), connection.ping({ tier: 'application' })];
    for (const latency of latencies) void latency.then(() => pinged.push(true));
    await connection.ping(); // its WebSocket layer answers, so it has read the ping before
    client.send('two ', { fin: false });
    await sleep(50);
    expect(pinged.entries).toEqual([]);
    client.send('three');
    await Promise.all(latencies);
    const messages = stage.log.entries.filter(([name]) => name === 'message');
    expect(messages).toEqual([['message', 'one two three']]);
    expect(client.readyState).toBe(client.OPEN);
  });
});
