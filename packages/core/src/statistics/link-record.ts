import type { Millis } from '../time.ts';
import type { LinkEvidence } from './link-quality.ts';

/** How many latencies the recent one is the median of, so that a single late pong changes nothing. */
const RECENT = 3;
/** How many latencies the usual one is the median of: twenty minutes of pings every 25 s. */
const USUAL = 50;
/** How many answers are remembered as overdue or not. */
const ANSWERS = 20;

/** Remembers the recent answers of a peer, for {@link linkQuality}. */
export class LinkRecord {
  readonly #latencies: Millis[] = [];
  /** Whether each of the last answers was overdue. */
  readonly #answers: boolean[] = [];
  #isLate = false; // the next answer has been counted as overdue

  /** The last 50 latencies, oldest first. */
  get latencies(): readonly Millis[] {
    return this.#latencies;
  }

  /** Records an answer. Without a latency that is certain, only that there was one. */
  answered(latency: Millis | undefined): void {
    if (latency !== undefined) keep(this.#latencies, latency, USUAL);
    if (!this.#isLate) keep(this.#answers, false, ANSWERS);
    this.#isLate = false;
  }

  /** Records that an answer is overdue. */
  overdue(): void {
    keep(this.#answers, true, ANSWERS);
    this.#isLate = true;
  }

  /** Returns what is known, with the present state of the connection. */
  evidence(isOpen: boolean, isSuspect: boolean): LinkEvidence {
    return {
      isOpen,
      isSuspect,
      recent: median(this.#latencies.slice(-RECENT)),
      usual: median(this.#latencies),
      overdue: this.#answers.filter(Boolean).length,
    };
  }
}

function keep<Item>(items: Item[], item: Item, most: number): void {
  items.push(item);
  if (items.length > most) items.shift();
}

/** Returns the lower of the two in the middle, so that the result was measured. */
function median(latencies: readonly Millis[]): Millis | undefined {
  return [...latencies].sort((a, b) => a - b)[(latencies.length - 1) >> 1];
}
