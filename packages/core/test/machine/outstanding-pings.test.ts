import { describe, expect, it } from 'vitest';
import { type OutstandingPing, OutstandingPings } from '../../src/machine/outstanding-pings.ts';

const NEVER = Number.POSITIVE_INFINITY;

function pingOf(seq: number, id?: string, sentAt = seq): OutstandingPing {
  return { seq, id, sentAt, sampled: true };
}

/** So many, with the ids 1, 2, 3 … in base 36, sent at these instants. */
function some(count: number): OutstandingPings {
  const pings = new OutstandingPings(pingOf(1, '1'));
  for (let seq = 2; seq <= count; seq += 1) pings.add(pingOf(seq, seq.toString(36)), NEVER);
  return pings;
}

describe('OutstandingPings', () => {
  it('answers a ping and all before it', () => {
    const pings = some(4);
    expect(pings.answer('3', 100)).toMatchObject({ seq: 3, sentAt: 3 });
    expect(pings.answer('2', 200)).toBeUndefined();
    expect(pings.owedSince).toBe(100);
    expect(pings.count).toBe(1);
    expect(pings.oldest.seq).toBe(4);
  });

  it('passes over a pong that nobody asked for', () => {
    const pings = new OutstandingPings(pingOf(1, '1', 0.5));
    expect(pings.answer('x', 100)).toBeUndefined();
    expect(pings.answer(undefined, 100)).toBeUndefined();
    expect(pings.owedSince).toBe(0);
  });

  it('is empty once the last is answered', () => {
    const pings = some(2);
    pings.answer('2', 100);
    expect(pings.count).toBe(0);
  });

  it('answers the oldest of two bare pings first', () => {
    const pings = new OutstandingPings(pingOf(2));
    pings.add(pingOf(3), NEVER);
    expect(pings.answer(undefined, 100)?.seq).toBe(2);
    expect(pings.answer(undefined, 101)?.seq).toBe(3);
  });

  it('takes no sample from two bare pings that are out together', () => {
    const [one, other, third] = [pingOf(2), pingOf(4), pingOf(3, '3')];
    const pings = new OutstandingPings(one);
    pings.add(third, NEVER);
    expect(one.sampled).toBe(true);
    pings.add(other, NEVER);
    expect([one.sampled, other.sampled, third.sampled]).toEqual([false, false, true]);
  });

  it('takes a bare ping for lost that is out for longer than lostAfter', () => {
    const pings = new OutstandingPings(pingOf(3, undefined, 1_000));
    const next = pingOf(4, undefined, 1_500);
    expect(pings.add(next, 500)).toBe(0);
    expect(next.sampled).toBe(false);
    const last = pingOf(5, undefined, 2_001);
    expect(pings.add(last, 500)).toBe(2);
    expect(last.sampled).toBe(true);
    expect(pings.answer(undefined, 3_000)).toBe(last);
  });

  it('never takes a ping with an id for lost', () => {
    const pings = some(1);
    expect(pings.add(pingOf(2, '2', 1_000_000), 500)).toBe(0);
    expect(pings.answer('1', 100)?.seq).toBe(1);
  });

  it('remembers sixteen, among them the oldest, whose pong comes first', () => {
    const pings = some(100);
    expect(pings.count).toBe(16);
    expect(pings.answer('1', 100)?.seq).toBe(1);
    expect(pings.answer((100).toString(36), 101)?.seq).toBe(100);
  });

  it('gives up one for each that is too many', () => {
    const pings = some(16);
    expect(pings.add(pingOf(17, 'h'), NEVER)).toBe(1);
    expect(pings.has('2')).toBe(false);
  });

  it('owes an answer since the first ping without one, also if that is lost', () => {
    const pings = new OutstandingPings(pingOf(2, undefined, 10.75));
    pings.add(pingOf(3, undefined, 20), 5);
    pings.add(pingOf(4, undefined, 30), 5);
    expect(pings.owedSince).toBe(10);
  });

  it('knows which ids are out, and whether a bare ping is', () => {
    const pings = some(1);
    expect([pings.has('1'), pings.has('2'), pings.hasBare]).toEqual([true, false, false]);
    pings.add(pingOf(2), NEVER);
    expect(pings.hasBare).toBe(true);
  });

  it('takes no sample from what is out while it is distrusted', () => {
    const pings = some(2);
    pings.distrust();
    pings.add(pingOf(3, '3'), NEVER);
    const sampled = ['1', '2', '3'].map((id) => pings.answer(id, 100)?.sampled);
    expect(sampled).toEqual([false, false, true]);
  });
});
