import { type Millis, resolveOptions } from '@wirebeat/core';

/** The timing of a registry. All nodes of one registry must have the same. */
export interface RegistryTiming {
  /**
   * How long, in ms, a node may be silent before its connections count as gone. A node renews its lease
   * three times in this period.
   * @default 15_000
   */
  readonly lease?: Millis;
  /**
   * How long, in ms, a user without a connection still counts as present. Hides the reload of a page.
   * @default 5_000
   */
  readonly grace?: Millis;
}

/** The options of {@link RegistryTiming}. Durations are in ms. */
export const REGISTRY_SCHEMA = {
  lease: { type: 'duration', default: 15_000 }, // two renewals may be lost
  // Longer than a reload, and than the first attempts to reconnect.
  grace: { type: 'number', default: 5_000, min: 0, max: 3_600_000 },
} as const;

/** Fills in the defaults. @throws {InvalidOptionError} if a value is out of range or unknown. */
export function checkRegistryTiming(timing: RegistryTiming): Required<RegistryTiming> {
  return resolveOptions(REGISTRY_SCHEMA, timing);
}

/** How often a node renews its lease. */
export const renewalInterval = (lease: Millis): Millis => lease / 3;

/**
 * If no node has renewed its lease for longer than this, the nodes could not reach the registry. That
 * time does not pass for presence, so nobody leaves because of it, and nodes that lost their leases
 * have at least `longestGap` to claim their sessions again.
 */
export const longestGap = (lease: Millis): Millis => 2 * renewalInterval(lease);

/**
 * The longest time from the moment a user's last connection dies, with its client or with its node, to
 * the `leave` of the user: its node detects the death within `detectionBound`, or dies too and loses its
 * lease; another node sees that at its next renewal; after the grace period, the leave is written at
 * the next renewal.
 *
 * A node that stalls for less than its lease detects the death later by what the stall adds to its
 * `detectionBound`, and one that is overloaded has a longer one. One that stalls for longer loses its lease, and claims sessions again only of clients
 * that answer it.
 *
 * It counts the time in which a node renews its lease every `renewalInterval`. If none does for longer
 * than `longestGap`, presence stands still from the last renewal to the next. A shorter gap delays each of
 * the two renewals above at most by what it is longer than `renewalInterval`.
 */
export function presenceBoundOf(detectionBound: Millis, lease: Millis, grace: Millis): Millis {
  return detectionBound + lease + grace + 2 * renewalInterval(lease);
}
