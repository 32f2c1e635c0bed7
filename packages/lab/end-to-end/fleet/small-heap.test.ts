// A server with little memory holds very many clients that speak, with their sessions. What does not
// fit ends the process of the server, and with it the test.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { IS_LONG } from '../scale.ts';
import { countOf, LIMIT, startClients, startServer } from './stage.ts';

/** A fifth of the clients in little more than a third of the heap: Node itself takes some 8 MB. */
const { clients: COUNT, heap: HEAP } = IS_LONG
  ? { clients: 5_000, heap: 64 }
  : { clients: 1_000, heap: 24 };
const OPENING = IS_LONG ? 20_000 : 2_000;
const PERIOD = IS_LONG ? 5_000 : 2_000;

describe(`a server with a heap of ${HEAP} MB`, () => {
  it(`holds ${COUNT} clients that speak, and answers each of them`, async (context) => {
    const flags = [`--max-old-space-size=${HEAP}`, '--max-semi-space-size=2'];
    const { server, port } = await startServer(context, { kind: 'wirebeat' }, flags);
    const clients = await startClients(context, {
      ...{ kind: 'reconnecting', port, name: 'client', count: COUNT, within: OPENING },
      options: { pingInterval: PERIOD, pingTimeout: 60_000 },
    });
    const all = () => clients.clientsWith('answered').size === COUNT;
    expect(await clients.until(all, LIMIT)).toBe(true);
    await sleep(2 * PERIOD); // each has pinged again, and been answered
    // On a busy machine a client may have taken its connection for suspect, and made another: its
    // session ended the older one, so there is still one for each.
    let counts = await countOf(server);
    for (const until = Date.now() + LIMIT; counts.connections !== COUNT && Date.now() < until; ) {
      await sleep(1_000);
      counts = await countOf(server);
    }
    expect([counts.sockets, counts.connections]).toEqual([COUNT, COUNT]);
    expect(counts.memory).toBeLessThan(HEAP * 1_048_576);
    console.log(`${COUNT} clients: ${(counts.memory / 1_048_576).toFixed(1)} of ${HEAP} MB`);
  }, 300_000);
});
