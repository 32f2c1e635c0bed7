import type { Millis, PeerState } from '@wirebeat/core';
import type { CloseRecord } from '../reconnect/close-record.ts';
import { withCode } from './close-words.ts';
import { about } from './duration-words.ts';

/** How one connection or attempt ended, and what the page was, where that is known. */
export interface End extends CloseRecord {
  readonly page?: PeerState;
  /** For how long; undefined if it had not been anything else. */
  readonly pageFor?: Millis | undefined;
}

/** What connections keep ending of. */
export type DiagnosisType =
  | 'unreachable'
  | 'refused'
  | 'not-ready'
  | 'closed-at-once'
  | 'away'
  | 'hidden'
  | 'idle-timeout'
  | 'age-limit'
  | 'backlog'
  | 'unanswered';

/** What {@link diagnose} found. */
export interface Diagnosis {
  readonly type: DiagnosisType;
  /** How many ends in a row say so. */
  readonly times: number;
  /** The time that is always the same, where it is that. */
  readonly after: Millis | undefined;
  /** In plain words, with what to do. */
  readonly text: string;
}

/**
 * Ends in a row that make a pattern. Four ends by chance, each within 25 s of silence, agree to a
 * second once in four thousand times; three do so once in two hundred.
 */
const IN_A_ROW = 4;
/** Connections without any answer that are enough: as the heartbeat itself has it. */
const UNANSWERED_IN_A_ROW = 2;
/** How far the same time may vary: timers of proxies are coarse, some by 4 s in 120 s. */
const SPREAD = 0.05;
/** And at least so much: a close takes its time through the network. */
const MIN_SPREAD: Millis = 1_000;
/** A connection that ends sooner was not wanted: no proxy has so short an idle timeout. */
const AT_ONCE: Millis = 5_000;
/** So long after a page has come back, its end is part of the coming back. */
const COMING_BACK: Millis = 10_000;
/** Shorter stalls cost no connection. */
const ASLEEP: Millis = 5_000;
/** Fewer bytes are no backlog: Firefox 153 leaves some in `bufferedAmount` for ever. */
const BACKLOG_BYTES = 1_024;
/** What was sent so long before an end may have brought it about. */
const JUST: Millis = 1_000;

/** Ends that we meant. They say nothing of the way or of the server. */
const PLANNED = /^(user|reconnect|rotation|replaced)$/;

/** How the ends in a row look that a rule is about, the newest last; and what to say of them. */
interface Rule {
  readonly type: DiagnosisType;
  readonly inARow?: number;
  readonly fits: (end: End) => boolean;
  /** What must be the same in all. */
  readonly constant?: (end: End) => Millis | undefined;
  readonly tell: (row: readonly End[], after: Millis) => string;
}

/** Which end it was is told by another rule than of when: the more certain ones come first. */
const RULES: readonly Rule[] = [
  {
    type: 'unreachable',
    fits: ({ reason }) => reason === 'connect-timeout',
    tell: () =>
      'Nothing answers at the address: a firewall drops the packets, host or port are wrong, or the server is overloaded.',
  },
  {
    type: 'refused',
    fits: ({ wasOpen, reason }) => !wasOpen && reason === 'abnormal',
    tell: () =>
      'No connection comes about: the server is down or refuses, the certificate or the address is bad, or a proxy knows no WebSocket. A page is not told which: look at the network panel.',
  },
  {
    type: 'not-ready',
    fits: ({ reason }) => reason === 'not-ready' || reason === 'ready-timeout',
    tell: () => 'Connections open, but your `ready` fails or takes longer than `readyTimeout`.',
  },
  {
    type: 'closed-at-once',
    fits: ({ age = AT_ONCE, ...end }) => isForeign(end) && age < AT_ONCE,
    tell: (row) =>
      `The server accepts connections and ends them at once${commonCode(row)}: it does not want them. Look at its log, and at who you say you are.`,
  },
  {
    type: 'away',
    fits: isAway,
    tell: () =>
      'Connections end while the page or the machine does not run, or as it comes back: systems take the sockets of what sleeps. The network and the server are not to blame.',
  },
  {
    type: 'hidden',
    fits: (end) => isForeign(end) && end.page === 'hidden',
    constant: ({ pageFor }) => pageFor,
    tell: (_, after) =>
      `Connections end about ${about(after)} after the page is hidden: the browser or the system takes them. It is no idle timeout on the way.`,
  },
  {
    type: 'idle-timeout',
    fits: isForeign,
    constant: ({ silentFor }) => silentFor,
    tell: (row, after) => tellIdle(row, after),
  },
  {
    type: 'idle-timeout',
    fits: isForeign,
    constant: ({ quietFor }) => quietFor,
    tell: (_, after) =>
      `Looks like an idle timeout of about ${about(after)} that counts only what you send: set pingInterval well below it.`,
  },
  {
    type: 'age-limit',
    fits: isForeign,
    constant: ({ age }) => age,
    tell: (_, after) =>
      `Looks like a limit of about ${about(after)} on the age of a connection, between you and the server or in it: set maxAge below it, and the change comes when it suits you. Pings do not help.`,
  },
  {
    type: 'backlog',
    fits: ({ reason, bufferedAmount = 0 }) =>
      reason === 'ping-timeout' && bufferedAmount >= BACKLOG_BYTES,
    tell: () =>
      'Links are found dead while messages wait to leave: the way may be too slow for what you send. Send less at a time, or raise pingTimeout.',
  },
  {
    type: 'unanswered',
    inARow: UNANSWERED_IN_A_ROW,
    fits: isUnanswered,
    tell: () =>
      'The server has never answered a ping: it does not know them. Teach it to, which takes five lines, or live without a verdict.',
  },
];

/**
 * Says what connections keep ending of, from how the last ones ended, oldest first. Undefined: no
 * pattern that is not likely to be chance.
 */
export function diagnose(ends: readonly End[]): Diagnosis | undefined {
  const unplanned = ends.filter(({ reason }) => !PLANNED.test(reason));
  for (const rule of RULES) {
    const row = rowOf(unplanned, rule);
    if (row.length < (rule.inARow ?? IN_A_ROW)) continue;
    const after = rule.constant && median(row.map(rule.constant) as Millis[]);
    const { type } = rule;
    const times = row.length;
    const text = `${rule.tell(row, after ?? 0)} (${times} ends in a row.)`;
    return { type, times, after, text };
  }
  return undefined;
}

/** The longest row at the end that fits. */
function rowOf(ends: readonly End[], { fits, constant }: Rule): readonly End[] {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  let start = ends.length;
  for (const end of [...ends].reverse()) {
    if (!fits(end)) break;
    const time = constant?.(end);
    if (constant !== undefined) {
      if (time === undefined || time < AT_ONCE) break;
      least = Math.min(least, time);
      most = Math.max(most, time);
      if (most - least > Math.max(MIN_SPREAD, SPREAD * most)) break;
    }
    start -= 1;
  }
  return ends.slice(start);
}

/** Ended by the other side or by what is between: our own timeouts are constant by themselves. */
function isForeign({ wasOpen, reason }: Pick<End, 'wasOpen' | 'reason'>): boolean {
  return wasOpen && (reason === 'abnormal' || reason === 'peer-close' || reason === 'fatal');
}

function isAway({ wasOpen, lateBy = 0, page, pageFor = COMING_BACK }: End): boolean {
  const isBack = page === 'visible' && pageFor < COMING_BACK;
  return wasOpen && (lateBy >= ASLEEP || page === 'frozen' || isBack);
}

function isUnanswered({ wasOpen, latency, reason, missedPings = 0 }: End): boolean {
  // Where the reason is `unanswered`, the next connection was answered.
  return wasOpen && latency === undefined && missedPings > 0 && reason !== 'unanswered';
}

function tellIdle(row: readonly End[], after: Millis): string {
  const isOnTouch = row.every(({ quietFor = 0 }) => quietFor < JUST);
  const isDeaf = row.every(({ latency }) => latency === undefined);
  const isYoung = row.every(({ age = 0, silentFor = 0 }) => age - silentFor < JUST);
  const atMost = isOnTouch ? 'at most ' : '';
  const doubt = isYoung
    ? ' It may be a limit on the age of a connection too: nothing was ever received, so the two look the same.'
    : '';
  const duty = isDeaf ? ' The server must answer the pings, which it has not done yet.' : '';
  return `Looks like an idle timeout of ${atMost}about ${about(after)} between you and the server: set pingInterval well below it.${duty}${doubt}`;
}

function commonCode(row: readonly End[]): string {
  const [first, ...others] = row;
  const isCommon = others.every(({ code, text }) => code === first?.code && text === first.text);
  if (first === undefined || !isCommon || first.reason === 'abnormal') return '';
  return withCode(first);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}
