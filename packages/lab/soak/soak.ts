import { setTimeout as sleep } from 'node:timers/promises';
import { Program } from '@wirebeat/lab/fleet/program';
import type { ClientsState } from './clients.ts';
import type { Violation } from './invariants.ts';
import { memoryViolations, type Sample } from './memory-slope.ts';
import { type Fault, plan } from './plan.ts';
import type { ServerState } from './server.ts';
import type { Moment } from './timeline.ts';
import { Ways } from './ways.ts';

export interface SoakOptions {
  readonly seed: number;
  /** Duration in ms. */
  readonly duration: number;
  readonly clients: number;
  /** The feature to turn off so that the soak must fail: sessions, or sending again. */
  readonly without?: 'session' | 'resend' | undefined;
  /** Receives progress lines. */
  readonly log: (line: string) => void;
}

export interface SoakResult {
  readonly violations: readonly Violation[];
  readonly faults: readonly Fault[];
  readonly moments: readonly Moment[];
  readonly messages: number;
  readonly repeats: number;
  readonly memory: Readonly<Record<'server' | 'clients', readonly Sample[]>>;
}

const CLIENTS_A_WAY = 25; // clients that one fault affects
const MESSAGE_PERIOD = 5_000; // mean ms between messages of each client: 400 per second from 2 000
const MEMORY_PERIOD = 5; // seconds between two samples: collecting garbage takes time
const MOMENT = 1_000;
const START_LIMIT = 60_000;
/**
 * A client that lost its connection when the faults ended waits a backoff of 30 s and dials, perhaps
 * twice.
 */
const SETTLE_LIMIT = 120_000;

/** Runs one server, many clients and faults between them. Resolves to everything that was observed. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { without } = options;
  const server = new Program('@wirebeat/lab/soak/server', { without });
  await server.until(() => server.of('listening').length > 0, START_LIMIT);
  const port = Number(server.of('listening')[0]?.detail['port']);
  const ways = await Ways.open(Math.ceil(options.clients / CLIENTS_A_WAY), port, server);
  const clients = new Program('@wirebeat/lab/soak/clients', {
    ...{ ports: ways.ports, count: options.clients, period: MESSAGE_PERIOD, without },
  });
  try {
    await clients.until(() => clients.of('begun').length > 0, START_LIMIT);
    return await run(options, { server, clients, ways });
  } finally {
    ways.heal();
    await Promise.all([server.end(), clients.end()]);
    await ways.close();
  }
}

interface Stage {
  readonly server: Program;
  readonly clients: Program;
  readonly ways: Ways;
}

async function run(options: SoakOptions, stage: Stage): Promise<SoakResult> {
  const { server, clients, ways } = stage;
  const faults = plan(options.seed, options.duration, ways.ports.length);
  const memory = { server: [] as Sample[], clients: [] as Sample[] };
  ways.run(faults, clients);
  const moments = await watch(options, stage, memory);
  ways.heal();
  const sent = await clients.ask<Record<string, number>>('rest');
  const settledBy = performance.now() + SETTLE_LIMIT;
  while (performance.now() < settledBy && (await server.ask<number>('missing', sent)) > 0) {
    await sleep(MOMENT);
  }
  const told = await server.ask<Pick<SoakResult, 'violations' | 'messages' | 'repeats'>>(
    'finish',
    sent,
  );
  const violations = [
    ...told.violations,
    ...(await clients.ask<Violation[]>('violations')),
    ...memoryViolations('server', memory.server),
    ...memoryViolations('clients', memory.clients),
  ];
  return { ...told, violations, faults, moments, memory };
}

/** Checks both sides each second, and their memory each fifth second. */
async function watch(
  { duration, log }: SoakOptions,
  { server, clients }: Stage,
  memory: Record<'server' | 'clients', Sample[]>,
): Promise<Moment[]> {
  const moments: Moment[] = [];
  const start = performance.now();
  let before = { server: 0, clients: 0 };
  while (performance.now() - start < duration) {
    const [ours, theirs] = await Promise.all([
      server.ask<ServerState>('state'),
      clients.ask<ClientsState>('state'),
    ]);
    const at = performance.now() - start;
    const serverDeaths = ours.deaths - before.server;
    const clientDeaths = theirs.deaths - before.clients;
    before = { server: ours.deaths, clients: theirs.deaths };
    const { connections } = ours;
    moments.push({ at, connections, open: theirs.open, serverDeaths, clientDeaths });
    if (moments.length % MEMORY_PERIOD === 0) {
      for (const [name, program] of [
        ['server', server],
        ['clients', clients],
      ] as const) {
        memory[name].push({ at, bytes: await program.ask<number>('memory') });
      }
    }
    if (moments.length % 10 === 0) log(describe(at, ours, theirs));
    await sleep(MOMENT);
  }
  return moments;
}

function describe(at: number, ours: ServerState, theirs: ClientsState): string {
  const seconds = Math.round(at / 1_000);
  return `${seconds} s: ${theirs.open} clients open, ${ours.connections} connections, deaths ${ours.deaths} and ${theirs.deaths}`;
}
