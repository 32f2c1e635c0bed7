// How the state of a `Heartbeat` is written into a row of a `ConnectionTable`, and read from it.
import type { Instant } from '../time.ts';
import { quietAt } from './deadlines.ts';
import { type HeartbeatState, NEVER } from './heartbeat-state.ts';
import {
  ANSWERS_IDS,
  ASKED,
  COUNT,
  FLAGS,
  IGNORES_IDS,
  LATEST,
  MICROS,
  MICROS_BITS,
  OPEN,
  PEER_ANSWERS,
  PEER_PINGS,
  PERIOD,
  PINGED,
  RECEIVED,
  SENT,
  SILENT,
  SMOOTHED,
  VARIATION,
} from './row.ts';
import type { RttEstimator } from './rtt-estimator.ts';
import type { Timing } from './timing.ts';
import { beginSilence } from './verdict.ts';

/**
 * Writes a state into the row that begins at `at`. Returns whether a row can hold it: the peer is
 * alive, no ping is unanswered, nothing else is pending, and the timing is that of the table. The row
 * does not hold the suspicion.
 */
export function freeze(
  state: HeartbeatState,
  words: Int32Array,
  at: number,
  origin: Instant,
  timing: Timing,
): boolean {
  if (!isWell(state) || state.timing !== timing || isRetimed(state)) return false;
  const { is, pings, rtt } = state;
  const ids = pings.answersIds ? ANSWERS_IDS : pings.answersIds === false ? IGNORES_IDS : 0;
  const flags = OPEN | (is.peerPings ? PEER_PINGS : 0) | (is.peerAnswers ? PEER_ANSWERS : 0) | ids;
  const row = {
    [FLAGS]: flags,
    [SENT]: state.lastSent - origin,
    [RECEIVED]: state.lastReceived - origin,
    [PINGED]: state.lastPing - origin,
    [PERIOD]: state.interval * (MICROS + 1),
    [COUNT]: pings.sent,
  };
  const entries = Object.entries(row).map(([word, value]) => [at + Number(word), value] as const);
  for (const [word, value] of entries) words[word] = value;
  saveRtt(rtt, words, at);
  return entries.every(([word, value]) => words[word] === value); // whole numbers of 32 bits
}

/** Whether the connection is alive, and nothing is pending apart from its next ping. */
function isWell(state: HeartbeatState): boolean {
  const { is, pings } = state;
  const isPlain = is.open && !is.suspended && !is.paused && !is.backlogged && !is.muted;
  if (!isPlain || state.memory || pings.oldest || state.stalls > 0) return false;
  if (state.probeAt < NEVER || state.afreshAt > quietAt(state)) return false;
  return Number.isInteger(state.interval);
}

/** Whether the timing in force is not that of the table, or may become another than that. */
function isRetimed(state: HeartbeatState): boolean {
  const { timing, timerSlack, maxSilence } = state;
  if (timerSlack !== timing.timerSlack || maxSilence !== timing.maxSilence) return true;
  return state.peerState !== 'visible' || state.askedInterval > 0 || state.askedTimeout > 0;
}

/** Reads a state from the row that begins at `at`. */
export function thaw(
  state: HeartbeatState,
  words: Int32Array,
  at: number,
  origin: Instant,
  now: Instant,
): void {
  const word = (index: number) => words[at + index] as number;
  const has = (flag: number) => (word(FLAGS) & flag) !== 0;
  const { pings } = state;
  state.now = Math.floor(now);
  state.is = { open: has(OPEN), peerPings: has(PEER_PINGS), peerAnswers: has(PEER_ANSWERS) };
  state.lastSent = origin + word(SENT);
  state.lastReceived = origin + word(RECEIVED);
  state.lastPing = origin + word(PINGED);
  state.interval = word(PERIOD) >> MICROS_BITS;
  loadRtt(state.rtt, words, at);
  pings.answersIds = has(IGNORES_IDS) ? false : has(ANSWERS_IDS) || undefined;
  pings.sent = word(COUNT);
  if (!has(ASKED)) return;
  const sentAt = state.lastPing + (word(PERIOD) & MICROS) / 1_000;
  pings.owedSince = state.lastPing;
  pings.unanswered.push({ seq: pings.sent, id: undefined, sentAt, sampled: true });
  if (has(SILENT)) beginSilence(state, state.lastPing);
}

/** Reads an estimate from the row that begins at `at`. */
export function loadRtt(rtt: RttEstimator, words: Int32Array, at: number): void {
  rtt.latest = words[at + LATEST] as number;
  rtt.smoothed = words[at + SMOOTHED] as number;
  rtt.variation = words[at + VARIATION] as number;
}

/** Writes an estimate into the row that begins at `at`. */
export function saveRtt(rtt: RttEstimator, words: Int32Array, at: number): void {
  words[at + LATEST] = rtt.latest;
  words[at + SMOOTHED] = rtt.smoothed;
  words[at + VARIATION] = rtt.variation;
}
