import { type LinkQuality, LinkRecord, linkQuality, type Millis } from '@wirebeat/core';
import type { Tier } from '../connection/events.ts';

interface Answered {
  readonly socket: object;
  readonly tier: Tier;
  readonly latency: Millis;
  readonly sampled: boolean;
}

interface TierRecord {
  readonly tier: Tier;
  readonly record: LinkRecord;
}

/**
 * Grades the connections of a server by the rule of `statusOf` in a page. Takes latencies of the
 * transport tier, which a busy page does not delay, and those of the application tier only where
 * there are no others.
 */
export class QualityRecords {
  readonly #records: WeakMap<object, TierRecord> = new WeakMap();

  /** The listeners for the events of a `HeartbeatSource`. */
  readonly takers: Readonly<Record<'pong' | 'suspect', (event: never) => void>> = {
    pong: (event: Answered) => this.#answered(event),
    suspect: ({ socket }: { readonly socket: object }) =>
      this.#records.get(socket)?.record.overdue(),
  };

  /** Returns the number of open connections of each grade. */
  count(
    connections: ReadonlyMap<unknown, { readonly status: string }>,
  ): ReadonlyMap<LinkQuality, number> {
    const counts = new Map<LinkQuality, number>([
      ['good', 0],
      ['slow', 0],
      ['poor', 0],
    ]);
    for (const [socket, { status }] of connections) {
      const record = this.#records.get(socket as object)?.record ?? new LinkRecord();
      const quality = linkQuality(record.evidence(true, status === 'suspect'));
      counts.set(quality, (counts.get(quality) ?? 0) + 1);
    }
    return counts;
  }

  #answered({ socket, tier, latency, sampled }: Answered): void {
    let known = this.#records.get(socket);
    if (known?.tier === 'transport' && tier === 'application') return;
    if (known?.tier !== tier) {
      known = { tier, record: new LinkRecord() };
      this.#records.set(socket, known);
    }
    known.record.answered(sampled ? latency : undefined);
  }
}
