import { once } from 'node:events';
import { expect, it } from 'vitest';
import { connect, MS, RawClient, serve } from '../server-side.ts';

it('does not take for dead a peer whose socket the application has paused', async () => {
  const stage = await serve({ pingInterval: 100 * MS, pingTimeout: 200 * MS });
  const { client, received } = await connect(stage);
  const [[, connection] = []] = stage.heartbeat.connections;
  const [socket] = stage.server.clients;
  if (socket === undefined || connection === undefined) throw new Error('there is no connection');
  let bytes = 0;
  socket.on('message', (data: Buffer) => {
    bytes += data.length;
  });
  socket.pause();
  const size = 10_000;
  for (let sent = 0; sent < 30; sent += 1) client.send(Buffer.alloc(size));
  // As long as three others, one after the other, are found dead that really are silent.
  for (const deaths of [1, 2, 3]) {
    new RawClient(stage);
    await stage.log.find(([name]) => name === 'dead', deaths);
  }
  expect(stage.heartbeat.get(socket)).toBe(connection);
  expect([connection.status, client.readyState, bytes]).toEqual(['alive', 1, 0]);
  socket.resume();
  while (bytes < 30 * size) await once(socket, 'message');
  expect(await connection.ping()).toBeGreaterThanOrEqual(0);
  socket.send('still here');
  await received.find((text) => text === 'still here');
});
