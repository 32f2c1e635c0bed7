import { setTimeout as sleep } from 'node:timers/promises';
import { type Fact, Program } from '@wirebeat/lab/fleet/program';
import { Arrivals } from './arrivals.ts';
import { Cluster, type End } from './cluster.ts';
import { Epochs } from './epochs.ts';
import { Ghosts } from './ghosts.ts';
import { type Fault, plan } from './plan.ts';
import { sharedNow } from './timing.ts';
import { type Seen, WatchedPresence } from './watched-presence.ts';

export interface SoakOptions {
  readonly seed: number;
  /** Duration in ms. */
  readonly duration: number;
  readonly clients: number;
  readonly nodes: number;
  readonly log: (line: string) => void;
}

/** What was found wrong, by invariant, and how much was looked at. */
export interface SoakResult {
  readonly faults: readonly Fault[];
  readonly isolations: number;
  readonly reaped: number;
  readonly reigns: number;
  readonly watchers: number;
  readonly changes: number;
  readonly messages: number;
  readonly gone: number;
  readonly violations: Readonly<Record<Invariant, readonly string[]>>;
}

export type Invariant =
  | 'one current connection'
  | 'each join and leave once'
  | 'ghosts gone'
  | 'nobody missing'
  | 'no message lost';

const MESSAGE_PERIOD = 5_000;
const LOOK = 1_000;
const START_LIMIT = 60_000;
const SETTLE_LIMIT = 60_000;
const GOING = 2_000; // ms between two users who go away for good
/** Clients of Redis wait up to 2 s before they connect again, and servers register all connections. */
const RETURN = 5_000;

/** Runs several servers with one Redis, many clients, and faults. Resolves to all that was observed. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const observer = new Observer();
  const cluster = await Cluster.start(options.nodes, observer.arrivals.file, {
    started: (program, name) => observer.observe(program, name),
    happened: (what) => observer.note(what),
    stalled: (server, from, to) => observer.stalled(server, from, to),
  });
  const clients = new Program('@wirebeat/lab/nodes/clients', {
    ...{ ports: cluster.ports, count: options.clients, period: MESSAGE_PERIOD },
  });
  try {
    await clients.until(() => clients.of('begun').length > 0, START_LIMIT);
    observer.observe(clients, 'clients');
    return await run(options, observer, cluster, clients);
  } finally {
    await clients.end();
    await cluster.close();
    observer.arrivals.remove();
  }
}

async function run(
  { seed, duration, nodes, clients: count, log }: SoakOptions,
  observer: Observer,
  cluster: Cluster,
  clients: Program,
): Promise<SoakResult> {
  const faults = plan(seed, duration, nodes);
  const { bound } = await cluster.watcher.ask<{ bound: number }>('state');
  cluster.run(faults);
  const end = performance.now() + duration;
  const users = Math.floor(count / 2);
  let leaving = 0;
  while (performance.now() < end) {
    await sleep(GOING);
    if (leaving < users / 4) void letGo(leaving, observer, cluster, clients);
    leaving += 1;
    const open = await clients.ask<number>('state');
    if (leaving % 5 === 0)
      log(`${Math.round((end - performance.now()) / 1_000)} s left: ${open} open`);
  }
  await cluster.heal();
  const sent = await clients.ask<Record<string, number>>('rest');
  const expected = users - Math.min(leaving, Math.ceil(users / 4));
  await settle(observer, cluster, sent, expected);
  await sleep(bound + RETURN); // whoever went last has left by then
  observer.checkGhosts(bound, cluster);
  observer.checkPresent(cluster, expected);
  return observer.result(faults, sent);
}

/** A user goes away for good, and is gone once nothing of it is under way any more. */
async function letGo(
  user: number,
  observer: Observer,
  cluster: Cluster,
  clients: Program,
): Promise<void> {
  cluster.cutOff(await clients.ask<End[]>('goAway', { user }));
  observer.gone(`user ${user}`);
}

/** Waits until all messages have arrived and nobody is missing. */
async function settle(
  observer: Observer,
  cluster: Cluster,
  sent: Readonly<Record<string, number>>,
  expected: number,
): Promise<void> {
  const settledBy = performance.now() + SETTLE_LIMIT;
  while (performance.now() < settledBy) {
    const isComplete = observer.arrivals.missing(sent).length === 0;
    if (isComplete && observer.presentAt(cluster.watcher) === expected) return;
    await sleep(LOOK);
  }
}

/** Gathers what all programs report. */
class Observer {
  readonly arrivals: Arrivals = new Arrivals();
  readonly #epochs: Epochs = new Epochs();
  readonly #watched: Map<Program, WatchedPresence> = new Map();
  readonly #ghosts: Ghosts = new Ghosts();
  #late: readonly string[] = [];
  readonly #missing: string[] = [];
  #isolations = 0;
  #reaped = 0;

  observe(program: Program, name: string): void {
    const watched = new WatchedPresence();
    program.onFact = (fact) => {
      if (fact.name === 'ended') this.#ended(fact, name);
      else this.#hear(fact, program, watched);
    };
  }

  /** Something has happened to a server or to Redis. */
  note(what: string): void {
    this.#ghosts.note(what, sharedNow());
  }

  stalled(server: string, from: number, to: number): void {
    this.#ghosts.stalled({ server, from, to });
  }

  #ended({ client = '', detail }: Fact, server: string): void {
    const user = `user ${Math.floor(Number(client.slice(1)) / 2)}`;
    const [at, bound] = [Number(detail['at']), Number(detail['bound'])];
    this.#ghosts.ended(user, { client, server, reason: `${detail['reason']}`, at, bound });
  }

  #hear({ name, client = '', detail }: Fact, program: Program, watched: WatchedPresence): void {
    const at = Number(detail['at']);
    switch (name) {
      case 'current':
        return this.#epochs.said(client, Number(detail['epoch']), at);
      case 'epochs':
        for (const [of, epoch] of detail['epochs'] as [string, number][]) {
          this.#epochs.said(of, epoch, at);
        }
        return;
      case 'presence':
        this.#watched.set(program, watched);
        return watched.saw(detail as unknown as Seen, at);
      case 'renewed':
        return this.#ghosts.renewed(at);
      case 'isolated':
        this.#isolations += 1;
        return;
      case 'reaped':
        this.#reaped += Number(detail['count']);
        return;
      default:
        return;
    }
  }

  gone(user: string): void {
    this.#ghosts.gone(user, sharedNow());
  }

  presentAt(program: Program): number {
    return this.#watched.get(program)?.present.size ?? 0;
  }

  /** Whoever went away has left within the bound. */
  checkGhosts(bound: number, { watcher }: Cluster): void {
    this.#late = this.#ghosts.check(bound, this.#watched.get(watcher) ?? new WatchedPresence());
  }

  /** Every watcher knows of the same users, and of nobody else. */
  checkPresent({ programs }: Cluster, expected: number): void {
    for (const program of programs) {
      const count = this.presentAt(program);
      if (count === expected) continue;
      const { changes = 0 } = this.#watched.get(program) ?? {};
      this.#missing.push(`a watcher knows ${count} users of ${expected}, after ${changes} changes`);
    }
  }

  result(faults: readonly Fault[], sent: Readonly<Record<string, number>>): SoakResult {
    const watched = [...this.#watched.values()];
    return {
      faults,
      isolations: this.#isolations,
      reaped: this.#reaped,
      reigns: this.#epochs.count,
      watchers: watched.length,
      changes: watched.reduce((sum, { changes }) => sum + changes, 0),
      messages: this.arrivals.count,
      gone: this.#ghosts.count,
      violations: {
        'one current connection': this.#epochs.check(),
        'each join and leave once': watched.flatMap(({ violations }) => violations),
        'ghosts gone': this.#late,
        'nobody missing': this.#missing,
        'no message lost': this.arrivals.missing(sent),
      },
    };
  }
}
