import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';

/** How a connection of the search ended. */
export interface SearchEnd {
  /** Close code; 1006 without a Close frame. */
  readonly code: number;
  readonly text: string;
}

/** Receives the events of one connection of the search. */
export interface SearchListener {
  opened(): void;
  /** Anything was received, such as a Ping of the server. */
  received(): void;
  ponged(): void;
  ended(end: SearchEnd): void;
}

/** One connection of the search. */
export interface SearchConnection {
  ping(): void;
  close(): void;
}

/** What an {@link IdleSearch} needs. */
export interface IdleSearchPort {
  readonly scheduler: Scheduler;
  /** Opens a connection. Its listener is called later, never at once. */
  connect(listener: SearchListener): SearchConnection;
}

/** Options of an {@link IdleSearch}. Durations are in ms. */
export interface IdleSearchOptions {
  /** Longest silence and longest age that are tried. */
  readonly upTo: Millis;
  /** Time to wait for a pong. */
  readonly timeout: Millis;
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

/** What an {@link IdleSearch} has found. Durations are in ms. */
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

/** Time between two pings on a connection that must not be idle. */
const BEAT: Millis = 1_000;
/** Time between the starts of two connections with the same role: a restart ends them together. */
const OFFSET: Millis = 1_300;
/** The fraction by which the same limit may vary, and the least variation in ms. */
const SPREAD = 0.05;
const MIN_SPREAD: Millis = 300;
/** The shortest silence after which a connection is checked for a silent drop. */
const MIN_RUNG: Millis = 2_000;
/** How many silences are tried between one that was survived and one that was not. */
const REFINEMENTS = 4;
/** Two pings fit into an idle timeout with some spare, so that one may be late. */
const PINGS_PER_LIMIT = 2.4;

/** One connection with its role. */
interface Member {
  readonly role: 'idle' | 'busy' | 'rung';
  /** For a rung: the silence after which it is checked. */
  readonly silence: Millis;
  connection: SearchConnection | undefined;
  openedAt: Instant | undefined;
  lastAt: Instant;
  longestGap: Millis;
  receivedCount: number;
  pongs: number;
  /** When the ping was sent that has no pong yet. */
  askedAt: Instant | undefined;
  /** Whether the check of a rung was answered; `undefined` before it. */
  isAnswered: boolean | undefined;
  end:
    | (SearchEnd & { readonly age: Millis; readonly idle: Millis; readonly at: Instant })
    | undefined;
}

/**
 * Searches for limits on the path: how long a connection may be idle, and how old it may get.
 *
 * Two connections stay idle, two send a ping every second, and some are checked by one ping after a
 * silence: a firewall may forget a connection without closing it. All of this runs at the same time, so
 * the search takes little longer than `upTo`, and at most twice as long if there is a silent drop to
 * locate.
 */
export class IdleSearch {
  readonly #options: IdleSearchOptions;
  readonly #port: IdleSearchPort;
  readonly #members: Member[] = [];
  readonly #timers: Set<Timer> = new Set();
  readonly #done: (findings: IdleFindings) => void;
  #isRefined = false;
  #isOver = false;

  constructor(
    options: IdleSearchOptions,
    port: IdleSearchPort,
    done: (findings: IdleFindings) => void,
  ) {
    this.#options = options;
    this.#port = port;
    this.#done = done;
  }

  start(): void {
    const { upTo, timeout } = this.#options;
    for (const wait of [0, OFFSET]) {
      this.#after(wait, () => {
        this.#join('idle');
        this.#join('busy');
      });
    }
    for (let silence = upTo; silence >= MIN_RUNG; silence /= 2) this.#join('rung', silence);
    this.#after(upTo + OFFSET + timeout + BEAT, () => this.#refine());
  }

  /** Ends the search with what is known so far. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const timer of this.#timers) timer.cancel();
    for (const { connection, end } of this.#members) if (end === undefined) connection?.close();
    this.#done(this.#findings);
  }

  #after(wait: Millis, act: () => void): void {
    const { scheduler } = this.#port;
    const due = scheduler.now() + wait;
    const timer = scheduler.at(due, () => {
      this.#timers.delete(timer);
      if (!this.#isOver) act();
    });
    this.#timers.add(timer);
  }

  #join(role: Member['role'], silence: Millis = 0): void {
    const { scheduler } = this.#port;
    const member: Member = {
      role,
      silence,
      connection: undefined,
      openedAt: undefined,
      lastAt: scheduler.now(),
      longestGap: 0,
      receivedCount: 0,
      pongs: 0,
      askedAt: undefined,
      isAnswered: undefined,
      end: undefined,
    };
    this.#members.push(member);
    member.connection = this.#port.connect({
      opened: () => this.#opened(member),
      received: () => {
        member.receivedCount += 1;
        this.#touch(member);
      },
      ponged: () => {
        member.pongs += 1;
        member.askedAt = undefined;
        this.#touch(member);
        if (member.role === 'rung') this.#checked(member, true);
      },
      ended: (end) => this.#ended(member, end),
    });
  }

  #touch(member: Member): void {
    const now = this.#port.scheduler.now();
    member.longestGap = Math.max(member.longestGap, now - member.lastAt);
    member.lastAt = now;
  }

  #opened(member: Member): void {
    member.openedAt = member.lastAt = this.#port.scheduler.now();
    if (member.role === 'busy') this.#beat(member);
    if (member.role === 'rung') this.#after(member.silence, () => this.#check(member));
  }

  #beat(member: Member): void {
    if (member.end !== undefined) return;
    const now = this.#port.scheduler.now();
    const { timeout } = this.#options;
    if (member.pongs > 0 && member.askedAt !== undefined && now - member.askedAt >= timeout) {
      member.connection?.close();
      return this.#ended(member, { code: 1006, text: '' }); // dropped without notice
    }
    member.askedAt ??= now;
    this.#ping(member);
    this.#after(BEAT, () => this.#beat(member));
  }

  #check(member: Member): void {
    if (member.end !== undefined) return;
    this.#ping(member);
    this.#after(this.#options.timeout, () => this.#checked(member, false));
  }

  #ping(member: Member): void {
    this.#touch(member);
    member.connection?.ping();
  }

  #checked(member: Member, isAnswered: boolean): void {
    if (member.isAnswered !== undefined || member.end !== undefined) return;
    member.isAnswered = isAnswered;
    member.connection?.close();
    this.#look();
  }

  #ended(member: Member, end: SearchEnd): void {
    if (member.end !== undefined || this.#isOver) return;
    const at = this.#port.scheduler.now();
    member.end = { ...end, at, age: at - (member.openedAt ?? at), idle: at - member.lastAt };
    this.#look();
  }

  /** Ends the search as soon as everything is known. */
  #look(): void {
    const pairs = this.#members.filter(({ role }) => role !== 'rung');
    const isKnown = pairs.length === 4 && pairs.every(({ end }) => end !== undefined);
    const isRefining = this.#isRefined && this.#members.some(isUnchecked);
    if (isKnown || (this.#isRefined && !isRefining)) this.stop();
  }

  get #findings(): IdleFindings {
    const { upTo } = this.#options;
    const { survivedIdle, survivedAge, ...rest } = findingsOf(
      this.#members,
      this.#port.scheduler.now(),
    );
    return {
      ...rest,
      survivedIdle: Math.min(survivedIdle, upTo),
      survivedAge: Math.min(survivedAge, upTo),
    };
  }

  /** Locates a silent drop more precisely, if there was one. */
  #refine(): void {
    const { idle } = this.#findings;
    if (this.#isRefined || idle?.type !== 'dropped') return this.stop();
    this.#isRefined = true;
    const { from, to } = idle;
    for (let step = 1; step <= REFINEMENTS; step += 1) {
      this.#join('rung', from * (to / from) ** (step / (REFINEMENTS + 1)));
    }
    this.#after(to + 2 * this.#options.timeout, () => this.stop());
  }
}

function isUnchecked({ role, isAnswered, end }: Member): boolean {
  return role === 'rung' && isAnswered === undefined && end === undefined;
}

function findingsOf(members: readonly Member[], now: Instant): IdleFindings {
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
  const ageOf = ({ end, openedAt = now }: Member) => end?.age ?? now - openedAt;
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

/** The longest silence that a connection survived, which is shorter than the limit. */
function survivedIdle(
  members: readonly Member[],
  now: Instant,
  limit = Number.POSITIVE_INFINITY,
): Millis {
  const gaps = members.map((member) => {
    const { role, longestGap, lastAt, end, isAnswered } = member;
    if (role === 'rung') return isAnswered === true ? longestGap : 0;
    return end === undefined && role === 'idle' ? Math.max(longestGap, now - lastAt) : longestGap;
  });
  return Math.max(0, ...gaps.filter((gap) => gap < limit));
}

/** Returns the end that both of a pair have in common. */
function sameEnd(
  members: readonly Member[],
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
function areTogether(members: readonly Member[]): boolean {
  const ends = members.flatMap(({ end, role }) =>
    end === undefined || role === 'rung' ? [] : [end],
  );
  if (ends.length < 4) return false;
  const moments = ends.map(({ at }) => at);
  return Math.max(...moments) - Math.min(...moments) < OFFSET / 2;
}

/** Finds the shortest silence after which a connection was dropped, and the longest before it. */
function droppedOf(
  members: readonly Member[],
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
function serverIntervalOf(idle: readonly Member[]): Millis | undefined {
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
