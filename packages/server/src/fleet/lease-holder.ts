import { type Instant, LazyTimer, type Millis, type Scheduler } from '@wirebeat/core';
import { BatchedCalls } from './batched-calls.ts';
import { EarlyRenewals } from './early-renewals.ts';
import { LeaseExpiry } from './lease-expiry.ts';
import { MemberList } from './member-list.ts';
import type { Membership } from './membership.ts';
import { type Grant, nodeOf, type Registry, type Renewal } from './registry.ts';
import { type RegistryCall, RegistryCaller } from './registry-call.ts';
import { renewalInterval } from './registry-timing.ts';
import { ReturningMembers } from './returning-members.ts';

/** What a {@link LeaseHolder} needs of its server. */
export interface LeaseHolderPort {
  readonly scheduler: Scheduler;
  /** Unique among all servers. */
  readonly instance: string;
  /** The node has lost its lease, or could not renew it. */
  isolated(): void;
  /** The node has a lease again. */
  rejoined(): void;
  called(call: RegistryCall): void;
  /** Connections of dead nodes were removed. */
  reaped(count: number): void;
  /** A message of another kind than the registry's own. */
  received(message: string): void;
}

const BATCH_WAIT: Millis = 20; // a round trip for each connection would cost more than it saves
const RETRIES = 5; // attempts in one renewal interval

/**
 * One server as a node of a registry: keeps its lease, and registers its sessions in batches.
 *
 * It calls the registry one call at a time. A call that fails is repeated, which changes nothing if it
 * had succeeded and only its answer was lost. If the lease could not be renewed in time, the node stops
 * vouching for its connections: their epochs no longer count. When it reaches the registry again, it
 * continues under a new name and claims its sessions again, once their clients have answered a ping.
 */
export class LeaseHolder {
  readonly #registry: Registry;
  readonly #port: LeaseHolderPort;
  readonly #caller: RegistryCaller;
  readonly #interval: Millis;
  readonly #lease: LeaseExpiry;
  readonly #timer: LazyTimer;
  readonly #members: MemberList = new MemberList();
  readonly #calls: BatchedCalls;
  readonly #returning: ReturningMembers;
  /** When the grace periods of users end who left by this node. */
  readonly #earlyRenewals: EarlyRenewals;
  #run = 0;
  #hasLease = false; // under the current name
  #isIsolated = false;
  #isBusy = false;
  #isClosed = false;
  #hasStopped = false; // nothing is renewed or sent any more
  #renewAt: Instant;
  #batchAt: Instant = Number.POSITIVE_INFINITY;
  #retryAt: Instant = Number.NEGATIVE_INFINITY;
  #users = 0;
  #idle: (() => void)[] = [];

  constructor(registry: Registry, port: LeaseHolderPort) {
    this.#registry = registry;
    this.#port = port;
    this.#interval = renewalInterval(registry.lease);
    this.#earlyRenewals = new EarlyRenewals(this.#interval);
    this.#lease = new LeaseExpiry(registry.lease);
    this.#caller = new RegistryCaller(port.scheduler, this.#interval, (call) => port.called(call));
    this.#calls = new BatchedCalls(registry, this.#caller, this.#members, {
      name: () => this.name,
      nameOf: (member) => this.nameOf(member),
      answered: (member, grant) => this.#answered(member, grant),
      released: (hold) => this.#sweepAfter(hold),
    });
    this.#timer = new LazyTimer(port.scheduler, () => this.#wake());
    this.#returning = new ReturningMembers(port.scheduler, (member) => {
      this.#members.claim(member);
      this.#batch();
    });
    this.#renewAt = port.scheduler.now();
    void this.#caller.ask('listen', () => {
      return registry.listen(port.instance, (message) => this.#receive(message));
    });
    this.#wake();
  }

  /** The name of this node. It changes when the lease was lost. */
  get name(): string {
    return `${this.#port.instance}.${this.#run}`;
  }

  get isIsolated(): boolean {
    return this.#isIsolated;
  }

  /** Number of users present on all nodes at the last renewal. */
  get users(): number {
    return this.#users;
  }

  /** Whether a member holds its session now, so that its epoch counts. */
  vouchesFor(member: Membership): boolean {
    return member.phase === 'held' && this.#isCertain();
  }

  /** Claims a session. Calls `granted` or `revoked` of the member later. */
  add(member: Membership): void {
    this.#members.add(member);
    this.#batch();
  }

  /** Releases the session of a connection that has ended. */
  remove(member: Membership): void {
    this.#returning.delete(member);
    this.#members.remove(member, this.nameOf(member));
    if (this.#members.hasReleases) this.#batch();
  }

  /** The member with this connection name. */
  find(connection: string): Membership | undefined {
    if (nodeOf(connection) !== this.name) return undefined;
    return this.#members.get(Number(connection.slice(connection.lastIndexOf(':') + 1)));
  }

  nameOf(member: Membership): string {
    return `${this.name}:${member.order}`;
  }

  /** From now on, users whose connections end here stay present for `hold` ms more. */
  holdLeaves(hold: Millis): void {
    this.#calls.hold = hold;
  }

  /** Resolves when everything has been sent to the registry, or a call has failed. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      if (this.#members.isUnsettled) this.#batchAt = Number.NEGATIVE_INFINITY;
      this.#wake();
    });
  }

  /** Releases all sessions and ends the lease. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const member of [...this.#members.values()]) this.remove(member);
    await this.flush();
    this.#hasStopped = true;
    this.#timer.cancel();
    if (this.#hasLease) await this.#caller.ask('remove', () => this.#registry.remove(this.name));
  }

  #isCertain(): boolean {
    return this.#lease.isCertain(this.#port.scheduler.now(), Date.now());
  }

  #batch(): void {
    this.#batchAt = Math.min(this.#batchAt, this.#port.scheduler.now() + BATCH_WAIT);
    this.#wake();
  }

  /** Does what is due, and sets the timer for the rest. */
  #wake(): void {
    if (this.#hasStopped) return this.#settle(); // a late message or `flush` must not renew the lease
    const now = this.#port.scheduler.now();
    if (!this.#isIsolated && this.#hasLease && !this.#lease.isHeld(now)) this.#isolate();
    if (!this.#isBusy && now >= this.#retryAt && this.#isDue(now)) void this.#work();
    else if (!this.#isBusy) this.#settle();
    this.#setTimer();
  }

  #setTimer(): void {
    const never = Number.POSITIVE_INFINITY;
    const lapse = this.#hasLease && !this.#isIsolated ? this.#lease.until : never;
    const batch = this.#hasLease ? this.#batchAt : never;
    const work = Math.max(this.#retryAt, Math.min(this.#renewalDue, batch));
    this.#timer.set(Math.min(lapse, this.#isBusy ? never : work));
  }

  get #renewalDue(): Instant {
    return Math.min(this.#renewAt, this.#earlyRenewals.next);
  }

  #isDue(now: Instant): boolean {
    return now >= this.#renewalDue || (this.#hasLease && now >= this.#batchAt);
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    let isGood = true;
    while (isGood && !this.#hasStopped && this.#isDue(this.#port.scheduler.now())) {
      const { scheduler } = this.#port;
      isGood = await (scheduler.now() >= this.#renewalDue ? this.#tryToRenew() : this.#sendBatch());
    }
    if (!isGood) this.#retryAt = this.#port.scheduler.now() + this.#interval / RETRIES;
    this.#isBusy = false;
    this.#settle();
    this.#wake();
  }

  /** Whoever waits for `flush` waits no longer: everything is sent, or a call has failed. */
  #settle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** If only the answers are lost, the lease goes on, so who leaves must be released meanwhile. */
  async #tryToRenew(): Promise<boolean> {
    if (await this.#renew()) return true;
    if (this.#isIsolated) await this.#calls.release();
    return false;
  }

  async #renew(): Promise<boolean> {
    const { scheduler } = this.#port;
    const [sent, wallSent] = [scheduler.now(), Date.now()];
    const isNew = !this.#hasLease;
    const answer = await this.#caller.ask('renew', () => this.#registry.renew(this.name, isNew));
    if (answer === undefined) return false;
    if (answer.value === undefined) return this.#lost();
    this.#hasLease = true;
    this.#lease.confirm(sent, wallSent);
    this.#renewAt = answer.value.isReaping ? sent : sent + this.#interval;
    this.#earlyRenewals.done(sent);
    if (this.#lease.isHeld(scheduler.now())) this.#confirmed();
    return this.#renewed(answer.value);
  }

  #confirmed(): void {
    if (!this.#isIsolated) return;
    this.#isIsolated = false;
    this.#port.rejoined();
  }

  async #renewed({ held, users, reaped, revoked }: Renewal): Promise<boolean> {
    this.#users = users;
    if (reaped > 0) {
      this.#port.reaped(reaped);
      this.#sweepAfter(0);
    }
    for (const connection of revoked) this.#revoke(connection);
    this.#returning.ask();
    this.#members.claimWaiting();
    if (this.#members.isUnsettled) this.#batch();
    else if (held !== this.#members.listed) return this.#reconcile();
    return true;
  }

  /** The registry lists other connections than this node has: it has lost data, or had old data. */
  async #reconcile(): Promise<boolean> {
    const { name } = this;
    const answer = await this.#caller.ask('held', () => this.#registry.held(name));
    if (answer?.value === undefined || name !== this.name) return false;
    this.#members.reconcile(answer.value, (member) => this.nameOf(member));
    this.#batch();
    return true;
  }

  async #sendBatch(): Promise<boolean> {
    this.#batchAt = Number.POSITIVE_INFINITY;
    const outcome = await this.#calls.send();
    if (outcome === 'lost') return this.#lost();
    if (this.#members.isUnsettled && this.#batchAt === Number.POSITIVE_INFINITY) {
      this.#batchAt = this.#port.scheduler.now();
    }
    return outcome === 'done';
  }

  #answered(member: Membership, { epoch, waitsFor }: Grant): void {
    if (epoch === 0) {
      if (this.#members.refused(member)) member.revoked();
      return;
    }
    // If it has ended meanwhile, the next call releases it.
    if (!this.#members.granted(member) || member.phase === 'held') return;
    member.rank ||= epoch;
    member.epoch = epoch;
    // Connections of this server have ended already: their release is on its way.
    const isWaiting = waitsFor.some((older) => nodeOf(older) !== this.name || this.find(older));
    if (!isWaiting || member.isCleared) this.#grant(member);
  }

  /** Without a lease, the member goes on waiting: the next renewal claims its session again. */
  #grant(member: Membership): void {
    if (!this.#isCertain()) return;
    member.phase = 'held';
    member.isCleared = false;
    member.granted();
  }

  /** Users who have left since are written as such after the grace period. */
  #sweepAfter(hold: Millis): void {
    this.#earlyRenewals.add(this.#port.scheduler.now() + this.#registry.grace + hold);
  }

  /** The registry has said that the lease has ended. */
  #lost(): boolean {
    if (!this.#isIsolated) this.#isolate();
    this.#lease.end();
    this.#run += 1;
    this.#hasLease = false;
    this.#members.restart();
    this.#returning.restart(this.#members.values());
    this.#renewAt = this.#port.scheduler.now();
    this.#batchAt = this.#renewAt;
    return true;
  }

  #isolate(): void {
    this.#isIsolated = true;
    this.#port.isolated();
  }

  #receive(message: string): void {
    const [kind, connection = ''] = message.split(' ');
    if (kind === 'revoked') this.#revoke(connection);
    else if (kind === 'cleared') this.#clear(connection);
    else if (!this.#isClosed) this.#port.received(message);
  }

  /**
   * Ends a connection of this node, and acknowledges that at once. Ignores a connection that has ended,
   * or had another name when the message was sent.
   */
  #revoke(connection: string): void {
    this.find(connection)?.revoked();
    if (this.#members.hasReleases) this.#batchAt = Number.NEGATIVE_INFINITY;
    this.#wake();
  }

  #clear(connection: string): void {
    const member = this.find(connection);
    if (member?.phase === 'waiting') this.#grant(member);
    else if (member?.phase === 'sent') member.isCleared = true;
  }
}
