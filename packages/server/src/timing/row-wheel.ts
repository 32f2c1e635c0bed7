import {
  type ConnectionTable,
  type Instant,
  type Millis,
  OWNER,
  ROW_WORDS,
  type Row,
  type Scheduler,
  type Timer,
} from '@wirebeat/core';
import type { Batches } from './batch-spacing.ts';

const SLOTS = 4_096;
/** The next row of the list, plus 2; `END` in the last row, `UNLISTED` in a row of no list. */
const NEXT = OWNER;
/** The granule in which the row is met: its low 32 bits, which tell granules of 248 days apart. */
const DUE = OWNER + 1;
const UNLISTED = 0;
const END = 1;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * The deadlines of the rows of a table. As in the timing wheel of the core, each slot holds a list, but
 * the lists run through the rows themselves. A row is only taken out of its list when it is met, and it
 * is listed again if its deadline has moved meanwhile: a message never touches a list.
 */
export class RowWheel {
  readonly #table: ConnectionTable;
  readonly #scheduler: Scheduler;
  readonly #granule: Millis;
  readonly #meet: (row: Row) => void;
  readonly #heads: Int32Array = new Int32Array(SLOTS).fill(END);
  #listed = 0;
  #turned = 0; // the last granule that was gone through
  #timer: Timer | undefined;
  #timerAt = NEVER; // its granule

  /**
   * Calls `meet` for each row at its time, when it is in no list. If it throws, the error becomes an
   * unhandled rejection, and the other rows are met all the same.
   */
  constructor(
    table: ConnectionTable,
    scheduler: Scheduler,
    granule: Millis,
    meet: (row: Row) => void,
  ) {
    this.#table = table;
    this.#scheduler = scheduler;
    this.#granule = granule;
    this.#meet = meet;
  }

  /**
   * Meets a row at `due`, or at an earlier time for which it is listed already. With `batches`, it is met
   * together with others before: with the last batch of pings up to then, or if that is over, with the last
   * look.
   */
  list(row: Row, due: Instant, batches?: Batches): void {
    if (this.#listed === 0) this.#turned = this.#present();
    const exact = Math.max(Math.ceil(due / this.#granule), this.#turned + 1);
    const granule = batches === undefined ? exact : this.#together(exact, batches);
    if (!this.isListed(row)) return this.#put(row, granule);
    const word = row * ROW_WORDS + DUE;
    if ((((this.#table.words[word] as number) - granule) | 0) <= 0) return;
    if (this.#takeOut(row)) this.#put(row, granule);
    else this.#table.words[word] = granule | 0; // its list is being gone through
  }

  /** Returns the granule up to `exact` in which a row is met together with others. */
  #together(exact: number, { pings, looks }: Batches): number {
    const batch = this.#multiple(exact, pings);
    if (batch > this.#turned) return batch;
    const look = this.#multiple(exact, looks);
    return look > this.#turned ? look : exact;
  }

  /** Returns the last granule up to `exact` that begins at a multiple of `length`, in ms. */
  #multiple(exact: number, length: Millis): number {
    const size = Math.max(1, Math.floor(length / this.#granule));
    return Math.floor(exact / size) * size;
  }

  isListed(row: Row): boolean {
    return this.#table.words[row * ROW_WORDS + NEXT] !== UNLISTED;
  }

  /** Takes all rows out of their lists, and cancels the timer. Calls `removed` for each row. */
  clear(removed: (row: Row) => void): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = NEVER;
    for (let slot = 0; slot < SLOTS && this.#listed > 0; slot += 1) {
      for (let next = this.#take(slot); next !== END; ) {
        const row = next - 2;
        next = this.#unlist(row);
        removed(row);
      }
    }
  }

  #put(row: Row, granule: number): void {
    const { words } = this.#table;
    const slot = granule & (SLOTS - 1);
    words[row * ROW_WORDS + NEXT] = this.#heads[slot] as number;
    words[row * ROW_WORDS + DUE] = granule | 0;
    this.#heads[slot] = row + 2;
    this.#listed += 1;
    if (granule < this.#timerAt) this.#setTimer(granule);
  }

  #present(): number {
    return Math.floor(this.#scheduler.now() / this.#granule);
  }

  #setTimer(granule: number): void {
    this.#timer?.cancel();
    this.#timerAt = granule;
    this.#timer = this.#scheduler.at(granule * this.#granule, () => this.#turn());
  }

  /** After a long stall, goes through each slot once. */
  #turn(): void {
    const present = this.#present();
    const first = Math.max(this.#turned + 1, present - SLOTS + 1);
    this.#turned = present; // what is listed meanwhile is due later
    this.#timerAt = Number.NEGATIVE_INFINITY; // no timer is set meanwhile
    for (let granule = first; granule <= present; granule += 1) this.#goThrough(granule);
    this.#timerAt = NEVER;
    if (this.#listed > 0) this.#setTimer(this.#nextListed());
  }

  #goThrough(granule: number): void {
    for (let next = this.#take(granule & (SLOTS - 1)); next !== END; ) {
      const row = next - 2;
      next = this.#unlist(row);
      const { words } = this.#table; // another one when the table has grown
      const ahead = ((words[row * ROW_WORDS + DUE] as number) - this.#turned) | 0;
      if (ahead > 0) this.#put(row, this.#turned + ahead);
      else this.#meetRow(row);
    }
  }

  #meetRow(row: Row): void {
    try {
      this.#meet(row);
    } catch (error) {
      void Promise.reject(error);
    }
  }

  /** Walks through the list of a row, which is short. Returns whether the row was in it. */
  #takeOut(row: Row): boolean {
    const { words } = this.#table;
    const slot = (words[row * ROW_WORDS + DUE] as number) & (SLOTS - 1);
    let before = END;
    let next = this.#heads[slot] as number;
    while (next !== END && next !== row + 2) {
      before = next;
      next = words[(next - 2) * ROW_WORDS + NEXT] as number;
    }
    if (next === END) return false;
    const after = this.#unlist(row);
    if (before === END) this.#heads[slot] = after;
    else words[(before - 2) * ROW_WORDS + NEXT] = after;
    return true;
  }

  /** Empties a slot. Returns the head of its list. */
  #take(slot: number): number {
    const head = this.#heads[slot] as number;
    this.#heads[slot] = END;
    return head;
  }

  /** Returns the next row of the list, plus 2. */
  #unlist(row: Row): number {
    const { words } = this.#table;
    const next = words[row * ROW_WORDS + NEXT] as number;
    words[row * ROW_WORDS + NEXT] = UNLISTED;
    this.#listed -= 1;
    return next;
  }

  #nextListed(): number {
    let ahead = 1;
    while (ahead < SLOTS && this.#heads[(this.#turned + ahead) & (SLOTS - 1)] === END) ahead += 1;
    return this.#turned + ahead;
  }
}
