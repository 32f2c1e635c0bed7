import type { Millis } from '@wirebeat/core';

/** How an open connection ended. Durations are in ms. */
export interface End {
  /** Time since it was opened. */
  readonly age: Millis;
  /** Time since anything was sent or received. */
  readonly idle: Millis;
  /** The longest such silence before that, which the connection survived. */
  readonly survived: Millis;
  /** Close code; 1006 without a Close frame. */
  readonly code: number;
  readonly text: string;
}

/** What the ends of several connections have in common. */
export interface Pattern {
  readonly type: 'idle-timeout' | 'age-limit' | 'closed-at-once';
  /** The time that is the same at each end. */
  readonly after: Millis;
  /** How many ends in a row show it. */
  readonly times: number;
  /** The finding in plain words. */
  readonly text: string;
}

/** How many ends in a row make a pattern. */
const IN_A_ROW = 3;
/** The fraction by which the same time may vary: timers of proxies are coarse. */
const SPREAD = 0.1;
/** The least variation in ms that is allowed: a busy machine notices an end late. */
const MIN_SPREAD: Millis = 250;
/** A server that closes a connection sooner than this refuses it. */
const AT_ONCE: Millis = 500;

/** Describes the end of one connection: who ended it, and when. */
export function describeEnd({ age, idle, code, text }: End): string {
  const words = code === 1006 ? 'no Close frame' : `close code ${code}`;
  const why = text === '' ? words : `${words}, ${text}`;
  return `${why}, after ${inSeconds(age)}, ${inSeconds(idle)} of it idle`;
}

/** Finds what the last ends have in common, oldest first. `undefined` if there is nothing. */
export function patternOf(ends: readonly End[]): Pattern | undefined {
  const young = rowOf(
    ends,
    ({ age }) => age,
    ({ age }) => age < AT_ONCE,
  );
  if (young !== undefined) {
    const text = `The server ends connections at once, ${young.times} times in a row: it refuses them. Look at its log.`;
    return { type: 'closed-at-once', ...young, text };
  }
  const old = rowOf(ends, ({ age }) => age);
  const silent = rowOf(ends, ({ idle }) => idle, isIdleEnd);
  // If both are constant, no earlier silence was as long as the last one: that explains it.
  if (silent !== undefined && silent.times >= (old?.times ?? 0)) {
    const time = inSeconds(silent.after);
    const text = `Closed after ${time} idle, ${silent.times} times in a row: there is an idle timeout of about ${time} on the way. Set pingInterval well below it. --find-idle measures it.`;
    return { type: 'idle-timeout', ...silent, text };
  }
  if (old !== undefined) {
    const time = inSeconds(old.after);
    const text = `Closed at the age of ${time}, ${old.times} times in a row, though pings were answered: there is a lifetime limit of about ${time}. Pings do not help. Set maxAge below it.`;
    return { type: 'age-limit', ...old, text };
  }
  return undefined;
}

/** Whether silence may be the cause: it was longer than any that the connection survived. */
function isIdleEnd({ idle, survived }: End): boolean {
  return idle >= AT_ONCE && idle > survived + MIN_SPREAD;
}

/** Returns the newest ends with the same time, if there are enough of them. */
function rowOf(
  ends: readonly End[],
  timeOf: (end: End) => Millis,
  fits: (end: End) => boolean = () => true,
): { readonly after: Millis; readonly times: number } | undefined {
  const times: Millis[] = [];
  for (const end of [...ends].reverse()) {
    const time = timeOf(end);
    const most = Math.max(time, ...times);
    const least = Math.min(time, ...times);
    if (!fits(end) || most - least > Math.max(MIN_SPREAD, SPREAD * most)) break;
    times.push(time);
  }
  if (times.length < IN_A_ROW) return undefined;
  const after = times.sort((a, b) => a - b)[times.length >> 1] as Millis;
  return { after, times: times.length };
}

/** Formats a duration in seconds: `8.0 s`. */
export function inSeconds(duration: Millis): string {
  return `${(duration / 1000).toFixed(1)} s`;
}
