// Several nodes, one registry, and every fault that a network has, in virtual time.
import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { LeaseHolder } from '../../src/fleet/lease-holder.ts';
import type { Membership } from '../../src/fleet/membership.ts';
import type { PresenceChange, Registry } from '../../src/fleet/registry.ts';
import { longestGap, presenceBoundOf, renewalInterval } from '../../src/fleet/registry-timing.ts';

export const LEASE: Millis = 15_000;
export const GRACE: Millis = 5_000;
/** How long a server that runs takes to detect that a client has died. */
const DETECTION: Millis = 20_000;
/** Answers may arrive, and the watcher may look, this much later. */
const STEP: Millis = 250;

/** What a registry needs to be under test: a clock that the test moves. */
export type RegistryMaker = (scheduler: Scheduler) => Promise<{
  readonly registry: Registry;
  /** Resolves when nothing that was asked is without an answer. */
  settled(): Promise<void>;
}>;

/** A node that is stopped runs no timer: what became due runs late. */
class StoppableScheduler implements Scheduler {
  readonly #clock: VirtualScheduler;
  readonly #waiting: Set<() => void> = new Set();
  #isStopped = false;

  constructor(clock: VirtualScheduler) {
    this.#clock = clock;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  now(): Instant {
    return this.#clock.now();
  }

  at(due: Instant, callback: () => void): Timer {
    const run = () => this.run(callback);
    const timer = this.#clock.at(due, run);
    return {
      cancel: () => {
        timer.cancel();
        this.#waiting.delete(callback);
      },
    };
  }

  /** Runs something now, or once the node goes on. */
  run(callback: () => void): void {
    if (this.#isStopped) this.#waiting.add(callback);
    else callback();
  }

  stop(): void {
    this.#isStopped = true;
  }

  goOn(): void {
    this.#isStopped = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const callback of waiting) callback();
  }
}

/** How the network treats the calls of a node. */
export type Weather = 'fine' | 'cut' | 'answers lost' | 'slow';

/** When nodes renewed their leases, and for how long none did. */
class Renewals {
  readonly #gaps: { readonly from: Instant; readonly to: Instant }[] = [];
  #last: Instant | undefined;

  add(at: Instant): void {
    this.#gaps.push(...this.#gapUntil(at));
    this.#last = at;
  }

  /** For how long between `since` and `now` no node renewed its lease in time. */
  missing(since: Instant, now: Instant): Millis {
    return [...this.#gaps, ...this.#gapUntil(now)].reduce((sum, { from, to }) => {
      return sum + Math.max(0, to - Math.max(from, since));
    }, 0);
  }

  /** From the time at which a renewal was due; of a long gap, as documented, all of it. */
  #gapUntil(at: Instant): { readonly from: Instant; readonly to: Instant }[] {
    const from = this.#last;
    const interval = renewalInterval(LEASE);
    if (from === undefined || at - from <= interval) return [];
    return [{ from: at - from > longestGap(LEASE) ? from : from + interval, to: at }];
  }
}

/** A registry behind a network with faults. */
class RemoteRegistry implements Registry {
  readonly lease: Millis;
  readonly grace: Millis;
  weather: Weather = 'fine';
  /** Nobody reaches the registry. */
  isAway = false;
  losesMessages = false;
  violation: string | undefined;
  /** When it last renewed its lease. */
  renewedAt: Instant = Number.NEGATIVE_INFINITY;
  readonly #granted: Map<string, number> = new Map();
  readonly #registry: Registry;
  readonly #scheduler: StoppableScheduler;
  readonly #clock: VirtualScheduler;
  readonly #renewals: Renewals;

  constructor(
    registry: Registry,
    scheduler: StoppableScheduler,
    clock: VirtualScheduler,
    renewals: Renewals,
  ) {
    this.#registry = registry;
    this.#scheduler = scheduler;
    this.#clock = clock;
    this.#renewals = renewals;
    this.lease = registry.lease;
    this.grace = registry.grace;
  }

  renew: Registry['renew'] = (...args) =>
    this.#call(async () => {
      const at = this.#clock.now();
      const renewal = await this.#registry.renew(...args);
      if (renewal === undefined) return undefined;
      this.renewedAt = at;
      this.#renewals.add(at);
      return renewal;
    });
  release: Registry['release'] = (...args) => this.#call(() => this.#registry.release(...args));
  held: Registry['held'] = (...args) => this.#call(() => this.#registry.held(...args));
  remove: Registry['remove'] = (...args) => this.#call(() => this.#registry.remove(...args));
  find: Registry['find'] = (...args) => this.#call(() => this.#registry.find(...args));
  users: Registry['users'] = (...args) => this.#call(() => this.#registry.users(...args));
  changes: Registry['changes'] = (...args) => this.#call(() => this.#registry.changes(...args));
  send: Registry['send'] = (...args) => this.#registry.send(...args);

  /** A claim that is repeated must be granted with the same epoch, or refused. */
  claim: Registry['claim'] = (node, claims) =>
    this.#call(async () => {
      const grants = await this.#registry.claim(node, claims);
      for (const [index, { epoch }] of (grants ?? []).entries()) {
        const { connection = '' } = claims[index] ?? {};
        if (epoch === 0) continue;
        const before = this.#granted.get(connection) ?? epoch;
        if (before !== epoch) this.violation ??= `${connection} was granted ${before} and ${epoch}`;
        this.#granted.set(connection, before);
      }
      return grants;
    });

  listen(instance: string, listener: (message: string) => void): PromiseLike<unknown> {
    return this.#registry.listen(instance, (message) => {
      if (this.losesMessages || this.#isCut) return;
      this.#scheduler.run(() => listener(message));
    });
  }

  onChange(listener: () => void): PromiseLike<unknown> {
    return this.#registry.onChange(listener);
  }

  get #isCut(): boolean {
    return this.isAway || this.weather === 'cut';
  }

  async #call<Value>(call: () => PromiseLike<Value>): Promise<Value> {
    const { weather } = this;
    if (this.#isCut) throw new Error('cut');
    if (weather === 'slow') await this.#wait(1_000);
    const answer = await call();
    if (weather === 'answers lost') throw new Error('the answer was lost');
    if (weather === 'slow') await this.#wait(1_000);
    await new Promise<void>((resolve) => this.#scheduler.run(resolve));
    return answer;
  }

  #wait(time: Millis): Promise<void> {
    return new Promise((resolve) => this.#clock.at(this.#clock.now() + time, resolve));
  }
}

/** A connection of a client, with its session. */
export class ModelConnection implements Membership {
  readonly order: number;
  readonly session: string;
  readonly user: string;
  readonly node: ModelNode;
  phase: Membership['phase'] = 'new';
  isCleared = false;
  rank = 0;
  epoch = 0;
  isOpen = true;
  /** When its client died or the connection ended. */
  goneAt: Instant = Number.POSITIVE_INFINITY;
  wasRevoked = false;
  /** Its first epoch. */
  firstEpoch: number | undefined;

  constructor(node: ModelNode, order: number, client: number) {
    this.node = node;
    this.order = order;
    this.session = `session-${client}`.padEnd(22, '-');
    this.user = `user ${Math.floor(client / 2)}`; // two tabs each
  }

  granted(): void {
    this.firstEpoch ??= this.epoch;
  }

  async answers(): Promise<boolean> {
    return this.goneAt === Number.POSITIVE_INFINITY;
  }

  revoked(): void {
    this.wasRevoked = true;
    this.end();
  }

  /** The client dies without a word. */
  die(): void {
    this.goneAt = Math.min(this.goneAt, this.node.scheduler.now());
    this.#detect();
  }

  /** A node that was stopped reads first what had arrived, so it detects the death later. */
  #detect(): void {
    const { scheduler } = this.node;
    const due = scheduler.now() + DETECTION;
    scheduler.at(due, () => {
      if (scheduler.now() < due + STEP) this.end();
      else this.#detect();
    });
  }

  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.goneAt = Math.min(this.goneAt, this.node.scheduler.now());
    this.node.node.remove(this);
  }
}

export class ModelNode {
  readonly scheduler: StoppableScheduler;
  readonly registry: RemoteRegistry;
  readonly node: LeaseHolder;
  readonly connections: Set<ModelConnection> = new Set();
  isolations = 0;
  /** When something last went wrong with it. */
  troubledAt: Instant = Number.NEGATIVE_INFINITY;
  /** The end of the last stop during which its lease did not end. */
  stalledUntil: Instant = Number.NEGATIVE_INFINITY;
  #stoppedAt: Instant = 0;
  #opened = 0;

  constructor(registry: Registry, clock: VirtualScheduler, renewals: Renewals, instance: string) {
    this.scheduler = new StoppableScheduler(clock);
    this.registry = new RemoteRegistry(registry, this.scheduler, clock, renewals);
    this.node = new LeaseHolder(this.registry, {
      scheduler: this.scheduler,
      instance,
      isolated: () => {
        this.isolations += 1;
      },
      rejoined: () => {},
      called: () => {},
      reaped: () => {},
      received: () => {},
    });
  }

  get isFine(): boolean {
    const { weather, isAway } = this.registry;
    return weather === 'fine' && !isAway && !this.scheduler.isStopped;
  }

  stop(): void {
    if (!this.scheduler.isStopped) this.#stoppedAt = this.scheduler.now();
    this.scheduler.stop();
  }

  goOn(): void {
    const now = this.scheduler.now();
    // A node that is stopped still takes connections here, and then renews its lease.
    const heldSince = Math.max(this.#stoppedAt, this.registry.renewedAt);
    if (now - heldSince < LEASE) this.stalledUntil = now;
    this.scheduler.goOn();
  }

  /** A client connects. As in `Sessions`, its older connection to the same server ends at once. */
  connect(client: number): ModelConnection {
    this.#opened += 1;
    const connection = new ModelConnection(this, this.#opened, client);
    this.node.add(connection);
    for (const older of this.open) if (older.session === connection.session) older.end();
    this.connections.add(connection);
    return connection;
  }

  get open(): readonly ModelConnection[] {
    return [...this.connections].filter(({ isOpen }) => isOpen);
  }
}

/** The whole fleet, and what it must never do. */
export class FleetModel {
  readonly clock: VirtualScheduler = new VirtualScheduler(1_000_000);
  readonly nodes: ModelNode[] = [];
  /** What one watcher has seen. */
  readonly seen: PresenceChange[] = [];
  #registry!: Registry;
  #settled: () => Promise<void> = async () => {};
  #position = '';
  /** The users that the watcher has seen join and not leave. */
  readonly #present: Set<string> = new Set();
  readonly #renewals: Renewals = new Renewals();
  readonly #lastEpoch: Map<string, { epoch: number; by: ModelConnection }> = new Map();

  static async make(makeRegistry: RegistryMaker, size: number): Promise<FleetModel> {
    const fleet = new FleetModel();
    const { registry, settled } = await makeRegistry(fleet.clock);
    fleet.#registry = registry;
    fleet.#settled = settled;
    fleet.#position = (await registry.users()).position;
    for (let index = 0; index < size; index += 1) {
      fleet.nodes.push(new ModelNode(registry, fleet.clock, fleet.#renewals, `node${index}`));
    }
    await fleet.advance(100);
    return fleet;
  }

  node(index: number): ModelNode {
    return this.nodes[index % this.nodes.length] as ModelNode;
  }

  get open(): readonly ModelConnection[] {
    return this.nodes.flatMap(({ open }) => open);
  }

  connect(client: number, node: number): void {
    this.node(node).connect(client);
  }

  /** Lets time pass in small steps, so that answers arrive between them. */
  async advance(time: Millis): Promise<void> {
    const end = this.clock.now() + time;
    while (this.clock.now() < end) {
      this.clock.advanceTo(Math.min(end, this.clock.now() + STEP));
      await this.settle();
      this.check();
      await this.#watch();
      this.#checkGhosts();
    }
  }

  async settle(): Promise<void> {
    await this.#settled();
  }

  /** Of each session at most one connection is current, and its epochs only rise. */
  check(): void {
    for (const node of this.nodes) {
      if (node.registry.violation !== undefined) throw new Error(node.registry.violation);
      if (node.scheduler.isStopped) continue; // it runs no code, so it tells the application nothing
      for (const connection of node.open) {
        if (!node.node.vouchesFor(connection)) continue;
        const { session, epoch } = connection;
        const last = this.#lastEpoch.get(session);
        if (
          last !== undefined &&
          (last.epoch > epoch || (last.epoch === epoch && last.by !== connection))
        ) {
          throw new Error(`${session} is current with epoch ${epoch} after ${last.epoch}`);
        }
        if (last !== undefined && this.#hasRevoked(connection, last.by)) {
          throw new Error(`${session} went back to an older connection`);
        }
        this.#lastEpoch.set(session, { epoch, by: connection });
      }
    }
  }

  /** Whether `connection` has taken the session from one that came later, and nothing else has. */
  #hasRevoked(connection: ModelConnection, later: ModelConnection): boolean {
    if (!later.wasRevoked || (later.firstEpoch ?? 0) <= (connection.firstEpoch ?? 0)) return false;
    const all = this.nodes.flatMap(({ connections }) => [...connections]);
    const newest = all.filter(({ session, epoch }) => {
      return session === later.session && epoch > later.epoch;
    });
    return newest.every((one) => one === connection);
  }

  async #watch(): Promise<void> {
    const found = await this.#registry.changes(this.#position);
    if (found === undefined) throw new Error('the log does not reach back');
    this.#position = found.position;
    for (const change of found.changes) {
      if (change.type === 'leave') this.#checkLeave(change.user);
      if (change.type === 'join') this.#present.add(change.user);
      if (change.type === 'leave') this.#present.delete(change.user);
      this.seen.push(change);
    }
  }

  /**
   * Nobody is present after the bound, which counts the time in which a node renews its lease. A stop
   * that is shorter than the lease delays only the detection of its node, as any stall does.
   */
  #checkGhosts(): void {
    const now = this.clock.now();
    const bound = presenceBoundOf(DETECTION, LEASE, GRACE) + 4 * STEP;
    const goneAt = new Map<string, Instant>(); // when the last connection of a user went
    for (const { connections } of this.nodes) {
      for (const { user, goneAt: at, node } of connections) {
        goneAt.set(user, Math.max(goneAt.get(user) ?? 0, at, node.stalledUntil));
      }
    }
    for (const user of this.#present) {
      const since = goneAt.get(user) ?? Number.NEGATIVE_INFINITY;
      if (now - since <= bound) continue; // of very many users, `missing` would take long
      const late = now - since - bound - this.#renewals.missing(since, now);
      if (late > 0) throw new Error(`${user} is still present, ${late} ms after the bound`);
    }
  }

  /** Nobody leaves who has long been connected to a node that has long been well. */
  #checkLeave(user: string): void {
    const since = this.clock.now() - 3 * LEASE;
    const settled = this.nodes.every((node) => node.isFine && node.troubledAt < since);
    const held = this.open.some((one) => one.user === user && one.phase === 'held');
    if (settled && held) throw new Error(`${user} has left, though connected`);
  }

  /** Nobody reaches the registry for `time`. */
  async beAway(time: Millis): Promise<void> {
    for (const node of this.nodes) node.registry.isAway = true;
    await this.advance(time);
    for (const node of this.nodes) {
      node.registry.isAway = false;
      node.troubledAt = this.clock.now();
    }
  }

  /** Heals everything and waits; then all must agree. */
  async checkEnd(): Promise<void> {
    for (const node of this.nodes) {
      if (!node.isFine) node.troubledAt = this.clock.now();
      node.registry.weather = 'fine';
      node.registry.losesMessages = false;
      if (node.scheduler.isStopped) node.goOn();
    }
    await this.advance(6 * LEASE + GRACE);
    const sessions = new Map<string, ModelConnection[]>();
    for (const one of this.open) {
      sessions.set(one.session, [...(sessions.get(one.session) ?? []), one]);
    }
    for (const [session, holders] of sessions) {
      if (holders.length !== 1) throw new Error(`${session} has ${holders.length} connections`);
      const [holder] = holders as [ModelConnection];
      if (!holder.node.node.vouchesFor(holder)) throw new Error(`${session} is not current`);
    }
    await this.#checkPresence(new Set(this.open.map(({ user }) => user)));
    await this.#checkLists();
  }

  async #checkPresence(users: ReadonlySet<string>): Promise<void> {
    const present = new Set((await this.#registry.users()).users.map(({ user }) => user));
    const told = new Set<string>();
    for (const { type, user } of this.seen) {
      if (type === 'move') continue;
      if ((type === 'join') === told.has(user)) throw new Error(`${user}: ${type} came twice`);
      if (type === 'join') told.add(user);
      else told.delete(user);
    }
    for (const [name, set] of Object.entries({ present, told })) {
      const differ = [...users, ...set].filter((user) => users.has(user) !== set.has(user));
      if (differ.length > 0) throw new Error(`${name} is wrong about ${differ.join(', ')}`);
    }
    for (const user of users) {
      const places = await this.#registry.find(user);
      const open = this.open.filter((one) => one.user === user);
      if (places.length !== open.length) throw new Error(`${user} is found ${places.length} times`);
    }
  }

  async #checkLists(): Promise<void> {
    for (const { node, open } of this.nodes) {
      const held = await this.#registry.held(node.name);
      const mine = open.map((one) => node.nameOf(one));
      if (String([...held].sort()) !== String(mine.sort())) {
        throw new Error(`${node.name} holds ${mine}, and is listed with ${held}`);
      }
    }
  }
}
