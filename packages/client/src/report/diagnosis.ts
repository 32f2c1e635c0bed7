import { InvalidOptionError, type Millis, type PeerState } from '@wirebeat/core';
import type { CloseReason, CloseRecord } from '../reconnect/close-record.ts';
import { about } from './duration-words.ts';
import { withCode } from './explain.ts';

/** How one connection or attempt ended, and the state of the page, if known. */
export interface End extends CloseRecord {
  readonly page?: PeerState;
  /** How long the page was in this state, in ms; undefined if it was never in another state. */
  readonly pageFor?: Millis | undefined;
}

/** The pattern of how connections end. */
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

/** The result of {@link diagnose}. */
export interface Diagnosis {
  readonly type: DiagnosisType;
  /** How many ends in a row show the pattern. */
  readonly times: number;
  /** The time that is the same at each end, in ms, if the pattern has one. */
  readonly after: Millis | undefined;
  /** The finding in plain words, with advice. */
  readonly text: string;
}

/**
 * How many ends in a row make a pattern. Four random ends, each within 25 s of silence, agree to
 * within a second once in four thousand times; three do so once in two hundred.
 */
const IN_A_ROW = 4;
/** How many connections without an answer make a pattern, as for the heartbeat itself. */
const UNANSWERED_IN_A_ROW = 2;
/**
 * The fraction by which the same time may vary: timers of proxies are coarse, some by 4 s in 120 s.
 */
const SPREAD = 0.05;
/** The minimum of that variation in ms: a close takes time to pass through the network. */
const MIN_SPREAD: Millis = 1_000;
/** A connection that ends earlier was refused: no proxy has such a short idle timeout. */
const AT_ONCE: Millis = 5_000;
/** An end within this time after a page became visible again belongs to that change. */
const COMING_BACK: Millis = 10_000;
/** Shorter stalls do not break a connection. */
const ASLEEP: Millis = 5_000;
/** Fewer bytes are no backlog: in Firefox 153, some stay in `bufferedAmount` forever. */
const BACKLOG_BYTES = 1_024;
/** A message sent within this time before an end may have caused it. */
const JUST: Millis = 1_000;

/** Ends caused by this side on purpose. They say nothing about the network or the server. */
const PLANNED: readonly CloseReason[] = ['user', 'reconnect', 'rotation', 'replaced'];

/** A rule: which ends in a row it matches, and what it reports about them. */
interface Rule {
  readonly type: DiagnosisType;
  readonly inARow?: number;
  readonly fits: (end: End) => boolean;
  /** The value that must be the same at each end. */
  readonly constant?: (end: End) => Millis | undefined;
  readonly tell: (row: readonly End[], after: Millis) => string;
}

/** The rules, the most certain ones first. */
const RULES: readonly Rule[] = [
  {
    type: 'unreachable',
    fits: ({ reason }) => reason === 'connect-timeout',
    tell: () =>
      'The address does not answer: a firewall drops the packets, the host or port is wrong, or the server is overloaded.',
  },
  {
    type: 'refused',
    fits: ({ wasOpen, reason }) => !wasOpen && reason === 'abnormal',
    tell: () =>
      'No connection can be opened: the server is down or refuses it, the certificate or the address is wrong, or a proxy does not support WebSockets. Browsers do not tell a page which: look at the network panel.',
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
      `The server accepts connections and closes them at once${commonCode(row)}. Look at its log, and check how the client authenticates.`,
  },
  {
    type: 'away',
    fits: isAway,
    tell: () =>
      'Connections end while the page or the machine is asleep, or just after it wakes up: systems close the sockets of sleeping pages. The network and the server are not the cause.',
  },
  {
    type: 'hidden',
    fits: (end) => isForeign(end) && end.page === 'hidden',
    constant: ({ pageFor }) => pageFor,
    tell: (_, after) =>
      `Connections end about ${about(after)} after the page is hidden: the browser or the system closes them. The cause is not an idle timeout in the network.`,
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
      `Looks like a limit of about ${about(after)} on the age of a connection, in the server or on the way to it. Pings do not help. Set maxAge below the limit, so that connections are replaced at a good moment.`,
  },
  {
    type: 'backlog',
    fits: ({ reason, bufferedAmount = 0 }) =>
      reason === 'ping-timeout' && bufferedAmount >= BACKLOG_BYTES,
    tell: () =>
      'Connections die while messages are waiting to be sent: the link may be too slow for what you send. Send less at a time, or increase pingTimeout.',
  },
  {
    type: 'unanswered',
    inARow: UNANSWERED_IN_A_ROW,
    fits: isUnanswered,
    tell: () =>
      'The server has never answered a ping, so it probably does not support them. Add the five lines of docs/protocol.md to it. Until then, dead connections are not detected.',
  },
];

/**
 * Finds the pattern in how the last connections ended, oldest first. Undefined if there is none, or
 * if it may be chance.
 *
 * @throws {InvalidOptionError} if `records` is not a list of close records.
 */
export function diagnose(records: readonly End[]): Diagnosis | undefined {
  if (!(Array.isArray(records) && records.every(isEnd))) {
    throw new InvalidOptionError('records', 'a list of CloseRecords', records);
  }
  const unplanned = records.filter(({ reason }) => !PLANNED.includes(reason));
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

/** Whether a value is an {@link End}, unlike a `close` event, whose `reason` is another. */
function isEnd(value: unknown): boolean {
  const { reason, wasOpen } = Object(value) as Partial<End>;
  return typeof reason === 'string' && typeof wasOpen === 'boolean';
}

/** Returns the longest matching row of the newest ends. */
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

/** Whether the peer or a proxy ended it. Excludes our own timeouts, which are constant anyway. */
function isForeign({ wasOpen, reason }: Pick<End, 'wasOpen' | 'reason'>): boolean {
  return wasOpen && (reason === 'abnormal' || reason === 'peer-close' || reason === 'fatal');
}

function isAway({ wasOpen, lateBy = 0, page, pageFor = COMING_BACK }: End): boolean {
  const isBack = page === 'visible' && pageFor < COMING_BACK;
  return wasOpen && (lateBy >= ASLEEP || page === 'frozen' || isBack);
}

function isUnanswered({ wasOpen, latency, reason, missedPings = 0 }: End): boolean {
  // After the reason `unanswered`, the next connection was answered.
  return wasOpen && latency === undefined && missedPings > 0 && reason !== 'unanswered';
}

function tellIdle(row: readonly End[], after: Millis): string {
  const isOnTouch = row.every(({ quietFor = 0 }) => quietFor < JUST);
  const isDeaf = row.every(({ latency }) => latency === undefined);
  const isYoung = row.every(({ age = 0, silentFor = 0 }) => age - silentFor < JUST);
  const atMost = isOnTouch ? 'at most ' : '';
  const doubt = isYoung
    ? ' It may also be a limit on the age of a connection: nothing was ever received, so the two look the same.'
    : '';
  const duty = isDeaf
    ? ' Pings only help if the server answers them, which it has not done yet.'
    : '';
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
