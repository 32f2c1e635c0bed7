import { setTimeout as sleep } from 'node:timers/promises';
import { MS } from '../allowance.ts';
import { Account, type CrowdFact } from './account.ts';
import type { FarEnd } from './far-end.ts';

/** Between two sockets as they are opened: their phases differ, and a burst slows nobody down. */
const SPREAD = 40;
const LOOK = 2_000;
const ANSWER = 30_000; // of the slowest server, and of a page that was stopped
const VERDICT = 100_000; // more than the bound and a stall: for what is never found

/** Sockets with the same options on the same way. */
export interface Group {
  readonly name: string;
  readonly way: 'steady' | 'gone';
  readonly count: number;
  readonly options: { readonly pingInterval?: number; readonly pingTimeout?: number };
  /** Of those that come back by themselves. */
  readonly reconnect?: { readonly connectTimeout: number };
}

const DEFAULTS = {};
/** A stall of 10 s is longer than this timeout: so it tempts a verdict, which the defaults do not. */
const SHORT = { pingInterval: 4_000, pingTimeout: 4_000 };

/** A hundred sockets as everybody has them, and the control. */
export const PATIENT: readonly Group[] = [
  { name: 'steady', way: 'steady', count: 100, options: DEFAULTS },
  { name: 'gone', way: 'gone', count: 20, options: DEFAULTS },
];
/** Another hundred that are in a hurry; no more than 255 in all, which is what Chromium opens. */
export const HURRIED: readonly Group[] = [
  ...PATIENT,
  { name: 'steady and short', way: 'steady', count: 100, options: SHORT },
  { name: 'gone and short', way: 'gone', count: 20, options: SHORT },
];

/** What {@link gather} of `crowd.js` is given, but for what it takes from its runtime. */
export function planOf(groups: readonly Group[], end: FarEnd): string {
  const told = groups.map(({ way, ...group }) => ({ ...group, url: end.url(way) }));
  return JSON.stringify({ groups: told, spread: SPREAD });
}

/** A client of many sockets, whatever it runs in. */
export class Crowd {
  readonly groups: readonly Group[];
  readonly #facts: () => Promise<readonly CrowdFact[]>;
  readonly #ask: () => unknown;

  constructor(
    groups: readonly Group[],
    facts: () => Promise<readonly CrowdFact[]>,
    ask: () => unknown,
  ) {
    this.groups = groups;
    this.#facts = facts;
    this.#ask = ask;
  }

  /** What it has told until now. */
  async account(): Promise<Account> {
    return new Account(await this.#facts());
  }

  /** Waits until it is so, and no longer than `limit`: what is missing is seen by who looks next. */
  async until(isSo: (account: Account) => boolean, limit: number): Promise<Account> {
    const end = Date.now() + limit;
    let account = await this.account();
    while (!isSo(account) && Date.now() < end) {
      await sleep(LOOK);
      account = await this.account();
    }
    return account;
  }

  /** All ask now. Waits until those whose peer lives have their answer. */
  async ask(): Promise<Account> {
    const askedAt = Date.now();
    await this.#ask();
    return this.until((account) => account.isAnswered(this.groups, askedAt), ANSWER * MS);
  }

  /** Waits for the verdicts on those that are gone, and then asks the others. */
  async judged(after: number): Promise<Account> {
    await this.until((account) => account.isJudged(this.groups, after), VERDICT * MS);
    return this.ask();
  }

  /** Waits until each socket has had its first pong. */
  async opened(): Promise<void> {
    const isOpen = (account: Account) =>
      this.groups.every(({ name, count }) => account.socketsWith('pong', name).size === count);
    await this.until(isOpen, 40_000 * MS);
  }
}
