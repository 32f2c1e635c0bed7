import { builtin } from '../builtin.ts';
import type { Membership, MembershipPhase } from './membership.ts';
import type { SessionClaim } from './session-claim.ts';

const DIGEST_LENGTH = 22; // 132 bits, as many as a session has

/** A session of this server as a member of a registry. */
export class Registration implements Membership {
  readonly claim: SessionClaim;
  readonly order: number;
  readonly session: string;
  readonly user: string;
  phase: MembershipPhase = 'new';
  isCleared = false;
  rank = 0;
  epoch = 0;
  readonly #isShared: boolean;

  /** `isShared`: the registry decides who holds the session, not just this server. */
  constructor(claim: SessionClaim, user: string, isShared: boolean) {
    this.claim = claim;
    this.order = claim.order;
    this.session = digestOf(claim.secret, user);
    this.user = user;
    this.#isShared = isShared;
  }

  granted(): void {
    const { epoch } = this;
    if (this.#isShared) this.claim.holder.bound({ epoch, isAnswered: epoch === this.rank });
  }

  async answers(): Promise<boolean> {
    const pong = this.claim.holder.ping();
    return pong.then(
      () => true,
      () => false,
    );
  }

  revoked(): void {
    if (this.#isShared) this.claim.holder.replace(undefined);
  }
}

/**
 * Returns the name of a user in a registry, empty if the user is unknown. `undefined`: a registry
 * cannot name the user.
 */
export function nameOfUser(user: unknown): string | undefined {
  if (user === undefined || user === null) return '';
  if (typeof user === 'string') return user;
  return typeof user === 'number' || typeof user === 'bigint' ? `${user}` : undefined;
}

/** The registry does not need the secret itself, which is enough to take over a session. */
function digestOf(secret: string, user: string): string {
  const hash = builtin('node:crypto')?.createHash('sha256'); // `ServerNode` has checked that it is there
  hash?.update(secret, 'latin1').update('\0').update(user);
  return hash?.digest('base64url').slice(0, DIGEST_LENGTH) ?? '';
}
