// The server does not run for a while, right after it has asked. The answers have come meanwhile, but
// its overdue timers run before they are read.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import type { TcpProxy } from '../../faults/tcp-proxy.ts';
import type { Program } from '../../fleet/program.ts';
import type { ServerSettings } from '../../fleet/server.ts';
import { allowance, MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';
import { LIMIT, pathsOf, startClients, startProxy, startServer } from './stage.ts';

const ROUNDS = IS_LONG ? 20 : 2;
const HALF = IS_LONG ? 500 : 50;
const ALL = 2 * HALF;
const WITHIN = (IS_LONG ? 5_000 : 1_000) * MS; // else they are late to answer their first ping
/** On a busy machine an answer takes a second and more: nobody shall die of that. */
const TIMING = { pingInterval: 1_500 * MS, pingTimeout: 3_000 * MS };
const BOUND = TIMING.pingInterval + TIMING.pingTimeout + 250 + 3 * 260;
const ROUND_TRIP = 300; // so that many answers are on their way
const OURS = { kind: 'wirebeat', options: { ...TIMING, advertise: false } } as const;
const PERIOD = 3_000 * MS; // of the sweep, which is its timeout too
const THEIRS = { kind: 'recipe', options: { pingInterval: PERIOD } } as const;
/** They do not judge the server: that would be another test. */
const PATIENT = { pingInterval: 60_000 * MS, pingTimeout: 60_000 * MS };

interface Timing {
  readonly pingInterval: number;
  readonly pingTimeout: number;
}
type Stall = (server: Program, atLeast: number, timing: Timing) => Promise<number>;

/** Each resolves when the server runs again, to how many it had asked that had not answered. */
const STALLS: [name: string, stall: Stall][] = [
  [
    'its event loop is blocked for 2.5 intervals',
    (server, atLeast, { pingInterval }) => server.ask('block', { ms: 2.5 * pingInterval, atLeast }),
  ],
  [
    'it is stopped for twice the timeout',
    async (server, atLeast, { pingTimeout }) => {
      const asked = await server.ask<number>('untilAsking', { atLeast });
      server.signal('SIGSTOP');
      await sleep(2 * pingTimeout);
      server.signal('SIGCONT');
      await server.ask('lateness'); // it has answered
      return asked;
    },
  ],
];

async function start(context: TestContext, settings: ServerSettings) {
  const { server, port } = await startServer(context, settings);
  const ways = [await startProxy(context, port), await startProxy(context, port)] as const;
  const fleet = { kind: 'mixed', count: HALF, within: WITHIN, options: PATIENT } as const;
  await Promise.all([
    startClients(context, { ...fleet, name: 'kept', port: ways[0].port }),
    startClients(context, { ...fleet, name: 'lost', port: ways[1].port }),
  ]);
  for (const way of ways) way.delay = ROUND_TRIP;
  await server.until(() => server.clientsWith('opened').size === ALL, LIMIT);
  await sleep(2 * TIMING.pingInterval);
  return { server, ways };
}

/** What the server says to those who have gone during its stall. */
async function expectLostAreFound(server: Program, way: TcpProxy, stall: Stall): Promise<void> {
  const lost = pathsOf({ name: 'lost', count: HALF });
  way.cut();
  const cutAt = performance.timeOrigin + performance.now();
  await stall(server, 1, TIMING);
  await server.until(() => server.of('ended').length >= lost.size, LIMIT);
  await sleep(TIMING.pingInterval);
  for (const name of ['dead', 'ended', 'closed']) {
    expect(server.of(name)).toHaveLength(lost.size);
    expect(server.clientsWith(name)).toEqual(lost);
  }
  for (const { at, detail } of server.of('dead')) {
    const bound = BOUND + allowance(detail['stalls'] as number[], TIMING.pingTimeout);
    expect(at - cutAt).toBeLessThanOrEqual(bound);
  }
}

describe.each(STALLS)('while a server has asked and %s', { concurrent: !IS_LONG }, (_, stall) => {
  it(
    `it ends no living client: ${ROUNDS} of ${ROUNDS}; it ends the clients that have left`,
    async (context) => {
      const { server, ways } = await start(context, OURS);
      for (let round = 0; round < ROUNDS; round += 1) {
        expect(await stall(server, ALL / 10, TIMING)).toBeGreaterThanOrEqual(ALL / 10);
        await sleep(1.5 * TIMING.pingInterval);
        for (const name of ['dead', 'ended', 'closed']) expect(server.of(name)).toEqual([]);
      }
      await expectLostAreFound(server, ways[1], stall);
    },
    300_000 * MS,
  );

  it(
    'the sweep in the manual of ws ends living clients',
    async (context) => {
      const { server } = await start(context, THEIRS);
      expect(server.of('closed')).toEqual([]); // with no stall it does well
      await stall(server, ALL, { pingInterval: PERIOD, pingTimeout: PERIOD });
      await server.until(() => server.of('closed').length > ALL / 2, LIMIT);
      expect(server.of('closed').length).toBeGreaterThan(ALL / 2);
    },
    300_000 * MS,
  );
});
