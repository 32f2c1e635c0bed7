import type { Millis } from '@wirebeat/core';

/**
 * What the servers of one application share: which connection holds which session, and who is
 * connected. `MemoryRegistry` is for the servers of one process, `RedisRegistry` for any number of
 * processes.
 *
 * A node is one run of one server. It holds a lease that it renews three times per `lease`. Nothing is
 * written for the heartbeats of its connections. Every method may be called again after a lost answer:
 * the second call changes nothing and returns the same.
 *
 * A node is named `instance.run`. The instance stays the same while the server runs; the run changes
 * when the node has lost its lease. A connection is named `node:number`.
 */
export interface Registry {
  /** How long a node may be silent before its connections count as gone, in ms. */
  readonly lease: Millis;
  /** How long a user without a connection still counts as present, in ms. */
  readonly grace: Millis;

  /**
   * Renews the lease of a node, removes connections of nodes whose lease has ended, and writes the
   * `leave` of users whose grace period is over. Resolves to `undefined` if the node has lost its lease:
   * then it must continue under a new name. `isNew`: the node has had no lease before.
   */
  renew(node: string, isNew: boolean): Promise<Renewal | undefined>;

  /** Claims sessions for connections. Resolves to `undefined` if the node has lost its lease. */
  claim(node: string, claims: readonly Claim[]): Promise<readonly Grant[] | undefined>;

  /**
   * Removes connections that have ended. A user without another connection counts as present for
   * `grace + hold` ms more.
   */
  release(node: string, connections: readonly string[], hold: Millis): Promise<unknown>;

  /** Returns the connections of a node. */
  held(node: string): Promise<readonly string[]>;

  /** Ends the lease of a node that has released all its connections. */
  remove(node: string): Promise<unknown>;

  /** Calls `listener` for each message to an instance. Messages may be lost. */
  listen(instance: string, listener: (message: string) => void): PromiseLike<unknown>;

  /** Sends a message to an instance. */
  send(instance: string, message: string): PromiseLike<unknown>;

  /** Returns the connections of a user, apart from those whose node has lost its lease. */
  find(user: string): Promise<readonly Place[]>;

  /** Returns everybody who is present, and a position in the log that is not later. */
  users(): Promise<PresentUsers>;

  /**
   * Returns what was logged after a position, oldest first. `undefined`: the log does not reach back to
   * this position.
   */
  changes(position: string): Promise<PresenceChanges | undefined>;

  /** Calls `listener` when something was logged. Calls may be lost. */
  onChange(listener: () => void): PromiseLike<unknown>;
}

/** A connection that claims its session. */
export interface Claim {
  readonly connection: string;
  /** Identifies the session: a digest of the client's secret and its user, of 22 characters. */
  readonly session: string;
  /** Empty if unknown. */
  readonly user: string;
  /**
   * The epoch at which this connection claimed its session for the first time, or 0 if it never has. A
   * connection that returns after its node was isolated gives way to one that came later.
   */
  readonly rank: number;
}

/** The answer to a {@link Claim}. */
export interface Grant {
  /** Greater than every epoch before; 0 if a newer connection holds the session. */
  readonly epoch: number;
  /** Older connections of the session that have not ended yet. */
  readonly waitsFor: readonly string[];
}

/** The answer to a node that has renewed its lease. */
export interface Renewal {
  /** Number of connections that the registry lists for this node. */
  readonly held: number;
  /** Number of users who are present on all nodes. */
  readonly users: number;
  /** Number of connections of dead nodes that this call has removed. */
  readonly reaped: number;
  /**
   * Connections of dead nodes or leaves that are due may be left over, so the node should call again at
   * once.
   */
  readonly isReaping: boolean;
  /** Connections of this node whose session a newer connection has claimed. */
  readonly revoked: readonly string[];
}

/** A connection of a user. */
export interface Place {
  /** The instance that holds the connection. */
  readonly node: string;
  readonly connection: string;
  /** When it claimed its session, in ms since 1970. */
  readonly since: number;
}

/** A user who is present. */
export interface PresentUser {
  readonly user: string;
  /** The node where the user joined, or moved to. */
  readonly node: string;
  /** When the user joined, in ms since 1970. */
  readonly since: number;
}

/** Everybody who is present. */
export interface PresentUsers {
  readonly position: string;
  readonly users: readonly PresentUser[];
}

/** A user joined, left, or moved to another node. `at` is in ms since 1970. */
export type PresenceChange =
  | { readonly type: 'join'; readonly user: string; readonly node: string; readonly at: number }
  | { readonly type: 'leave'; readonly user: string; readonly node: string; readonly at: number }
  | {
      readonly type: 'move';
      readonly user: string;
      readonly from: string;
      readonly node: string;
      readonly at: number;
    };

/** A part of the log. */
export interface PresenceChanges {
  readonly position: string;
  readonly changes: readonly PresenceChange[];
}

/** How many connections of a dead node one call removes, and how many leaves it writes. */
export const REAPED_AT_ONCE = 500;
/** How many changes the log keeps, and how many one call returns. */
export const LOG_LENGTH = 100_000;
export const CHANGES_AT_ONCE = 1_000;

/** The message to an instance that a newer connection has claimed the session of `connection`. */
export const revokedMessage = (connection: string): string => `revoked ${connection}`;
/** The message that every older connection of the session of `connection` has ended. */
export const clearedMessage = (connection: string): string => `cleared ${connection}`;

/** The node of a connection. */
export const nodeOf = (connection: string): string =>
  connection.slice(0, connection.lastIndexOf(':'));
/** The instance of a node or of a connection. */
export const instanceOf = (node: string): string => node.slice(0, node.indexOf('.'));
