/**
 * `new`: the registry has not been asked. `sent`: it may have been. `waiting`: the registry lists the
 * connection, but an older one has not ended. `held`: it holds its session.
 */
export type MembershipPhase = 'new' | 'sent' | 'waiting' | 'held';

/** A connection that holds a session, or waits for it. */
export interface Membership {
  /** Number of the connection on its server. */
  readonly order: number;
  /** Digest of the client's secret and its user, of 22 characters. */
  readonly session: string;
  /** Empty if unknown. */
  readonly user: string;
  phase: MembershipPhase;
  /** Every older connection of the session ended before the answer to the claim arrived. */
  isCleared: boolean;
  /** The epoch of the first claim, or 0. */
  rank: number;
  /** The epoch of the last claim, or 0. */
  epoch: number;
  /** The connection holds its session from now on, with `epoch`. */
  granted(): void;
  /** Pings the client. Resolves to whether it has answered. */
  answers(): Promise<boolean>;
  /** A newer connection on another node holds the session. Ends this connection. */
  revoked(): void;
}

/** Whether the registry lists the connection. */
export function isListed({ phase }: Membership): boolean {
  return phase === 'waiting' || phase === 'held';
}
