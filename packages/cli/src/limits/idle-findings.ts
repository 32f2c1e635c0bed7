import { HEARTBEAT_SCHEMA, type Instant, type Millis } from '@wirebeat/core';

/** How a connection of the search ended. */
export interface SearchEnd {
  /** Close code; 1006 without a Close frame. */
  readonly code: number;
  readonly text: string;
}

/** The limit on silence that was found. */
export type IdleLimit =
  /** Idle connections are closed after this time. */
  | {
      readonly type: 'closed';
      readonly after: Millis;
      readonly code: number;
      readonly text: string;
    }
  /** Idle connections are dropped without notice after a time between these two. */
  | { readonly type: 'dropped'; readonly from: Millis; readonly to: Millis };

/** What a search has found. Durations are in ms. */
export interface IdleFindings {
  readonly idle: IdleLimit | undefined;
  /** The age at which connections are closed even if they are not idle. */
  readonly lifetime: (SearchEnd & { readonly after: Millis }) | undefined;
  /** The longest silence that a connection survived. */
  readonly survivedIdle: Millis;
  /** The greatest age that a connection reached. */
  readonly survivedAge: Millis;
  /** The time between two signs of life that the server sends by itself, if it does. */
  readonly serverInterval: Millis | undefined;
  /** Whether connections ended together, so that a restart or a lost network is the cause. */
  readonly endedTogether: boolean;
  /** Whether no ping was answered, so that nothing can be said about the age. */
  readonly isUnanswered: boolean;
  /** The `pingInterval` to set. */
  readonly pingInterval: Millis | undefined;
  /** The `maxAge` to set. */
  readonly maxAge: Millis | undefined;
}

/** What is known of one connection of the search. */
export interface ObservedConnection {
  readonly role: 'idle' | 'busy' | 'checked';
  /** How long it is silent before it is checked; 0 in other roles. */
  readonly silence: Millis;
  openedAt: Instant | undefined;
  lastAt: Instant;
  longestGap: Millis;
  receivedCount: number;
  pongs: number;
  /** When the ping was sent that has no pong yet. */
  askedAt: Instant | undefined;
  /** Whether the check was answered; `undefined` before it. */
  isAnswered: boolean | undefined;
  end:
    | (SearchEnd & { readonly age: Millis; readonly idle: Millis; readonly at: Instant })
    | undefined;
}

/** Time between two pings on a connection that must not be idle. */
export const BEAT: Millis = 1_000;
/** Time between the starts of two connections with the same role: a restart ends them together. */
export const OFFSET: Millis = 1_300;
/** The fraction by which the same limit may vary, and the least variation in ms. */
const SPREAD = 0.05;
const MIN_SPREAD: Millis = 300;
/** Two pings fit into an idle timeout with some spare, so that one may be late. */
const PINGS_PER_LIMIT = 2.4;

/** Returns what the connections of a search have shown by `now`. */
export function findingsOf(members: readonly ObservedConnection[], now: Instant): IdleFindings {
  const opened = members.filter(({ openedAt }) => openedAt !== undefined);
  const idle = opened.filter(({ role }) => role === 'idle');
  const busy = opened.filter(({ role }) => role === 'busy');
  const endedTogether = areTogether(opened);
  const lifetime = endedTogether ? undefined : sameEnd(busy, 'age');
  const closed = endedTogether ? undefined : sameEnd(idle, 'idle');
  const isOldAge =
    closed !== undefined &&
    lifetime !== undefined &&
    closed.after > lifetime.after * (1 - SPREAD) - MIN_SPREAD;
  const limit =
    closed === undefined || isOldAge ? droppedOf(opened) : ({ type: 'closed', ...closed } as const);
  const ageOf = ({ end, openedAt = now }: ObservedConnection) => end?.age ?? now - openedAt;
  const shortest = limit?.type === 'dropped' ? limit.from : limit?.after;
  return {
    idle: limit,
    lifetime,
    survivedIdle: survivedIdle(opened, now, shortest),
    survivedAge: Math.max(0, ...busy.filter(({ pongs }) => pongs > 0).map(ageOf)),
    serverInterval: serverIntervalOf(idle),
    endedTogether,
    isUnanswered: busy.length > 0 && busy.every(({ pongs }) => pongs === 0),
    pingInterval: shortest === undefined ? undefined : intervalFor(shortest),
    maxAge: lifetime === undefined ? undefined : rounded(lifetime.after * 0.9),
  };
}

/** Whether the `pingInterval` that clients of wirebeat use by default is too long. */
export function needsShorterInterval({ pingInterval }: IdleFindings): boolean {
  return pingInterval !== undefined && pingInterval < HEARTBEAT_SCHEMA.pingInterval.default;
}

/** The longest silence that a connection survived, which is shorter than the limit. */
function survivedIdle(
  members: readonly ObservedConnection[],
  now: Instant,
  limit = Number.POSITIVE_INFINITY,
): Millis {
  const gaps = members.map((member) => {
    const { role, longestGap, lastAt, end, isAnswered } = member;
    if (role === 'checked') return isAnswered === true ? longestGap : 0;
    return end === undefined && role === 'idle' ? Math.max(longestGap, now - lastAt) : longestGap;
  });
  return Math.max(0, ...gaps.filter((gap) => gap < limit));
}

/** Returns the end that both of a pair have in common. */
function sameEnd(
  members: readonly ObservedConnection[],
  name: 'age' | 'idle',
): (SearchEnd & { readonly after: Millis }) | undefined {
  const ends = members.flatMap(({ end }) => (end === undefined ? [] : [end]));
  const [first] = ends;
  if (first === undefined || ends.length < 2) return undefined;
  const times = ends.map((end) => end[name]);
  const [least, most] = [Math.min(...times), Math.max(...times)];
  if (most - least > Math.max(MIN_SPREAD, SPREAD * most)) return undefined;
  return { after: least, code: first.code, text: first.text };
}

/** Whether connections of all ages ended at one moment. */
function areTogether(members: readonly ObservedConnection[]): boolean {
  const ends = members.flatMap(({ end, role }) =>
    end === undefined || role === 'checked' ? [] : [end],
  );
  if (ends.length < 4) return false;
  const moments = ends.map(({ at }) => at);
  return Math.max(...moments) - Math.min(...moments) < OFFSET / 2;
}

/** Finds the shortest silence after which a connection was dropped, and the longest before it. */
function droppedOf(
  members: readonly ObservedConnection[],
): Extract<IdleLimit, { type: 'dropped' }> | undefined {
  const checked = members.filter(({ isAnswered }) => isAnswered !== undefined);
  if (!members.some(({ pongs }) => pongs > 0)) return undefined;
  const silences = (isAlive: boolean) =>
    checked.filter(({ isAnswered }) => isAnswered === isAlive).map(({ silence }) => silence);
  const dead = silences(false);
  if (dead.length === 0) return undefined;
  const to = Math.min(...dead);
  return { type: 'dropped', from: Math.max(BEAT, ...silences(true).filter((one) => one < to)), to };
}

/** Returns how often the server sends something to an idle connection. */
function serverIntervalOf(idle: readonly ObservedConnection[]): Millis | undefined {
  const [first] = idle.filter(
    ({ receivedCount, longestGap }) => receivedCount >= 2 && longestGap >= BEAT,
  );
  return first?.longestGap;
}

function intervalFor(limit: Millis): Millis {
  return rounded(limit / PINGS_PER_LIMIT);
}

/** Rounds down to whole seconds, or to tenths of a second below 3 s. */
function rounded(duration: Millis): Millis {
  const step = duration < 3_000 ? 100 : 1_000;
  return Math.floor(duration / step) * step;
}
