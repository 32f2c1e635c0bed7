import type { Millis } from '@wirebeat/core';
import type { MemberList, Release } from './member-list.ts';
import type { Membership } from './membership.ts';
import type { Grant, Registry } from './registry.ts';
import type { RegistryCaller } from './registry-call.ts';

/** What {@link BatchedCalls} need of their node. */
export interface BatchedCallsPort {
  /** The name of the node. */
  name(): string;
  nameOf(member: Membership): string;
  /** The registry has answered a claim. */
  answered(member: Membership, grant: Grant): void;
  /** Users without another connection leave in `grace + hold` ms. */
  released(hold: Millis): void;
}

/** `lost`: the node has lost its lease. */
export type BatchOutcome = 'done' | 'failed' | 'lost';

const BATCH = 200; // connections in one call

/** Claims and releases sessions of a node, many in one call. */
export class BatchedCalls {
  /** Users whose connections are released stay present for this time in addition to the grace period. */
  hold: Millis = 0;
  readonly #registry: Registry;
  readonly #caller: RegistryCaller;
  readonly #members: MemberList;
  readonly #port: BatchedCallsPort;

  constructor(
    registry: Registry,
    caller: RegistryCaller,
    members: MemberList,
    port: BatchedCallsPort,
  ) {
    this.#registry = registry;
    this.#caller = caller;
    this.#members = members;
    this.#port = port;
  }

  /** Sends the next claims, then the next releases. */
  async send(): Promise<BatchOutcome> {
    const releases = this.#members.nextReleases(BATCH);
    // Claims first: a user whose only connection is replaced here has no moment without one.
    const outcome = await this.#claim(this.#members.nextClaims(BATCH));
    return outcome === 'done' ? this.#release(releases) : outcome;
  }

  /** Sends the next releases. */
  async release(): Promise<BatchOutcome> {
    return this.#release(this.#members.nextReleases(BATCH));
  }

  async #claim(members: readonly Membership[]): Promise<BatchOutcome> {
    if (members.length === 0) return 'done';
    const claims = members.map((member) => {
      if (member.phase === 'new') member.phase = 'sent';
      const { session, user, rank } = member;
      return { connection: this.#port.nameOf(member), session, user, rank };
    });
    const name = this.#port.name();
    const answer = await this.#caller.ask('claim', () => this.#registry.claim(name, claims));
    if (answer === undefined) return 'failed';
    if (answer.value === undefined) return 'lost';
    for (const [index, grant] of answer.value.entries()) {
      this.#port.answered(members[index] as Membership, grant);
    }
    return 'done';
  }

  async #release(releases: readonly Release[]): Promise<BatchOutcome> {
    if (releases.length === 0) return 'done';
    const { hold } = this;
    const name = this.#port.name();
    const names = releases.map((one) => one.name);
    const release = () => this.#registry.release(name, names, hold).then(() => true);
    const answer = await this.#caller.ask('release', release);
    if (answer === undefined) return 'failed';
    this.#members.released(releases);
    this.#port.released(hold);
    return 'done';
  }
}
