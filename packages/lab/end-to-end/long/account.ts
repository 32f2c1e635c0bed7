import { expect } from 'vitest';
import { allowance } from '../allowance.ts';
import type { Group } from './crowd.ts';

/** What one socket of a crowd met. */
export interface CrowdFact {
  readonly name: 'open' | 'ping' | 'pong' | 'stall' | 'dead' | 'close' | 'retry';
  readonly group: string;
  readonly index: number;
  /** By the wall clock, which is the same in all processes. */
  readonly at: number;
  readonly bound?: number;
  readonly silentFor?: number;
  readonly lateBy?: number;
  readonly latency?: number;
  readonly code?: number;
  readonly reason?: string;
}

/** When a fault began and ended. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const DEFAULT_TIMEOUT = 20_000; // of the client
const RUNNING = 250; // ms after the end of a stall that count as it

/** What a crowd told, and what is held against it. */
export class Account {
  readonly facts: readonly CrowdFact[];

  constructor(facts: readonly CrowdFact[]) {
    this.facts = facts;
  }

  of(name: CrowdFact['name'], group: string, index?: number): CrowdFact[] {
    return this.facts.filter(
      (fact) =>
        fact.name === name && fact.group === group && (index === undefined || fact.index === index),
    );
  }

  /** Which sockets of a group met it, at all or after an instant. */
  socketsWith(name: CrowdFact['name'], group: string, after = 0): Set<number> {
    const facts = this.of(name, group).filter(({ at }) => at > after);
    return new Set(facts.map(({ index }) => index));
  }

  /** How many pings of a group waited for their pong at an instant. */
  askingAt(group: string, instant: number): number {
    const count = (name: 'ping' | 'pong') =>
      this.of(name, group).filter(({ at }) => at <= instant).length;
    return count('ping') - count('pong');
  }

  /** Whether each socket of a living peer was answered after an instant. */
  isAnswered(groups: readonly Group[], after: number): boolean {
    return this.#have('pong', 'steady', groups, after);
  }

  /** Whether each socket whose peer is gone was told so after an instant. */
  isJudged(groups: readonly Group[], after: number): boolean {
    return this.#have('dead', 'gone', groups, after);
  }

  /** No socket of a living peer was taken for dead or lost, and each goes on after the fault. */
  expectLiving(groups: readonly Group[], { to }: Span): void {
    for (const { name, count } of groups.filter(({ way }) => way === 'steady')) {
      expect(this.of('dead', name)).toEqual([]);
      expect(this.of('close', name)).toEqual([]);
      expect(this.socketsWith('pong', name, to).size, name).toBe(count);
    }
  }

  /**
   * Each socket whose peer is gone was told so, once, and in time. `frozenFor`: it did not run then,
   * and was told of it, so that there is no stall to add.
   */
  expectFound(groups: readonly Group[], span: Span, frozenFor = 0): void {
    for (const group of groups.filter(({ way }) => way === 'gone')) {
      const found = this.of('dead', group.name);
      expect(new Set(found.map(({ index }) => index)).size, group.name).toBe(group.count);
      for (const dead of found) this.#expectInTime(dead, group, span, frozenFor);
      expect(found).toHaveLength(group.count);
    }
  }

  #have(name: CrowdFact['name'], way: Group['way'], groups: readonly Group[], after: number) {
    const ours = groups.filter((group) => group.way === way);
    return ours.every((group) => this.socketsWith(name, group.name, after).size === group.count);
  }

  #expectInTime(dead: CrowdFact, group: Group, { to }: Span, frozenFor: number): void {
    const { index, at, silentFor, bound = 0 } = dead;
    const { pingTimeout = DEFAULT_TIMEOUT } = group.options;
    const stalls = this.of('stall', group.name, index);
    const lateness = (facts: CrowdFact[]) => facts.map(({ lateBy = 0 }) => lateBy);
    expect(bound).toBeGreaterThan(pingTimeout);
    const running = (silentFor ?? 0) - frozenFor;
    expect(running).toBeLessThanOrEqual(bound + allowance(lateness(stalls), pingTimeout));
    // The stall that was the fault is over; it still owes its fresh ping the full timeout.
    const later = stalls.filter((stall) => stall.at > to + RUNNING);
    expect(at - to).toBeLessThanOrEqual(bound + allowance(lateness(later), pingTimeout));
  }

  /** The fault was one: it fell between a ping and its pong, and made timers late. */
  expectStalled(groups: readonly Group[], { from, to }: Span): void {
    for (const { name, options } of groups) {
      const { pingInterval = Number.POSITIVE_INFINITY, pingTimeout = 0 } = options;
      if (pingInterval + pingTimeout >= to - from) continue; // not all of these had a timer due
      const late = this.of('stall', name).filter(({ lateBy = 0 }) => lateBy > 1_000);
      expect(late, name).not.toEqual([]);
    }
    expect(this.askingAt('steady and short', from)).toBeGreaterThanOrEqual(3);
  }
}
