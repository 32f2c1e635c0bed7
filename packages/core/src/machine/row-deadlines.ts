import type { Instant, Millis } from '../time.ts';
import { MAX_SKIPS } from './deadlines.ts';
import * as word from './row.ts';
import type { RowMemory } from './row-memory.ts';
import { loadRtt, saveRtt } from './row-state.ts';
import { RttEstimator } from './rtt-estimator.ts';
import { SuspectWait } from './suspect-wait.ts';
import type { Timing } from './timing.ts';

/** Shared by all rows without a false suspicion. */
const CALM: SuspectWait = /* @__PURE__ */ new SuspectWait();

/** The deadlines of the rows of a table, and the round-trip times that they depend on. */
export class RowDeadlines {
  /** By row: that of each row that has more time because of a false suspicion. */
  readonly suspicions: Map<number, SuspectWait> = new Map();
  readonly #memory: RowMemory;
  readonly #rtt: RttEstimator = new RttEstimator(); // reads and writes the statistics of one row

  constructor(memory: RowMemory) {
    this.#memory = memory;
  }

  /** Returns the deadline of a row as the machine has it: see `deadlineOf`. */
  of(row: number, timing: Timing): Instant {
    const { words, origin } = this.#memory;
    const at = row * word.ROW_WORDS;
    const flags = words[at + word.FLAGS] as number;
    const interval = (words[at + word.PERIOD] as number) >> word.MICROS_BITS;
    const pinged = words[at + word.PINGED] as number;
    if ((flags & word.SILENT) !== 0) {
      return origin + pinged + Math.min(interval, this.#wait(row, timing));
    }
    if ((flags & word.ASKED) !== 0) return origin + pinged + interval;
    const quietSince = Math.min(
      words[at + word.SENT] as number,
      words[at + word.RECEIVED] as number,
    );
    if ((flags & word.PEER_PINGS) !== 0) return origin + quietSince + interval;
    return origin + Math.min(quietSince + interval, pinged + (MAX_SKIPS + 1) * interval);
  }

  /** Records the round-trip time of the routine ping of a row, whose pong has come. */
  measure(row: number, now: Instant): void {
    const { words, origin } = this.#memory;
    const at = row * word.ROW_WORDS;
    const micros = (words[at + word.PERIOD] as number) & word.MICROS;
    const sentAt = origin + (words[at + word.PINGED] as number) + micros / 1_000;
    loadRtt(this.#rtt, words, at);
    this.#rtt.sample(Math.max(0, now - sentAt));
    saveRtt(this.#rtt, words, at);
  }

  /** How long the answer to the routine ping may take before the peer is suspect, in whole ms. */
  #wait(row: number, timing: Timing): Millis {
    const { words, origin } = this.#memory;
    const at = row * word.ROW_WORDS;
    loadRtt(this.#rtt, words, at);
    const { suspectAfter, pingTimeout } = timing;
    const isRaised = ((words[at + word.FLAGS] as number) & word.RAISED) !== 0;
    const suspicion = isRaised ? (this.suspicions.get(row) as SuspectWait) : CALM;
    const pinged = origin + (words[at + word.PINGED] as number);
    return Math.ceil(suspicion.wait(this.#rtt, suspectAfter, pingTimeout, pinged));
  }
}
