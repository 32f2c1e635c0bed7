import type { Millis, Scheduler, Timer } from '@wirebeat/core';
import {
  BEAT,
  findingsOf,
  type IdleFindings,
  type ObservedConnection,
  OFFSET,
  type SearchEnd,
} from './idle-findings.ts';

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

/** The shortest silence after which a connection is checked for a silent drop. */
const MIN_SILENCE: Millis = 2_000;
/** How many silences are tried between one that was survived and one that was not. */
const REFINEMENTS = 4;

/** One connection with its role. */
interface Member extends ObservedConnection {
  connection: SearchConnection | undefined;
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
    for (let silence = upTo; silence >= MIN_SILENCE; silence /= 2) this.#join('checked', silence);
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
        if (member.role === 'checked') this.#checked(member, true);
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
    if (member.role === 'checked') this.#after(member.silence, () => this.#check(member));
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
    const pairs = this.#members.filter(({ role }) => role !== 'checked');
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
      this.#join('checked', from * (to / from) ** (step / (REFINEMENTS + 1)));
    }
    this.#after(to + 2 * this.#options.timeout, () => this.stop());
  }
}

function isUnchecked({ role, isAnswered, end }: Member): boolean {
  return role === 'checked' && isAnswered === undefined && end === undefined;
}
