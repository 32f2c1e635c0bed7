// @vitest-environment jsdom
// Under jsdom, `Uint8Array` is that of another realm than the Buffers of `ws`.
import { expect, it } from 'vitest';
import { connect, onlyConnection, serve } from './server-side.ts';

it('answers pings under jsdom, and hides them and its Pongs from the application', async () => {
  expect(Buffer.from('') instanceof Uint8Array).toBe(false);
  const stage = await serve({ pingInterval: 50 });
  const { client, received } = await connect(stage);
  const { connection } = await onlyConnection(stage);
  client.send('\u0005wb.7;v=1');
  await received.find((text) => text.startsWith('\u0006wb.7'));
  const asked = await received.find((text) => text.startsWith('\u0005wb')); // the page is asked back
  client.send(`\u0006${asked.slice(1)}`);
  await stage.pongs.find((tier) => tier === 'application');
  expect(await connection.ping({ tier: 'transport' })).toBeGreaterThanOrEqual(0);
  client.send('last');
  await stage.log.find(([name, data]) => name === 'message' && data === 'last');
  const seen = stage.log.entries.filter(([name]) => name === 'message' || name === 'pong');
  expect(seen).toEqual([['message', 'last']]);
});
