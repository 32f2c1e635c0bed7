import { describe, expect, it } from 'vitest';
import { OutstandingPings } from '../src/outstanding-pings.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** Adds pings at 0, 1, 2 … and returns their ids. */
function add(pings: OutstandingPings, count: number, asked = true): (string | undefined)[] {
  return Array.from({ length: count }, (_, index) => pings.add(index, asked, NEVER).id);
}

describe('OutstandingPings', () => {
  it('gives the first ping an id, also if nobody asked', () => {
    expect(new OutstandingPings().add(0, false, NEVER).id).toBe('1');
  });

  it('leaves the routine ping bare', () => {
    const pings = new OutstandingPings();
    pings.add(0, false, NEVER);
    pings.answer('1', 100);
    expect(pings.add(1, false, NEVER).id).toBeUndefined();
    pings.answer(undefined, 100);
    expect(pings.add(2, true, NEVER).id).toBeUndefined();
  });

  it('gives a ping beside another an id of its own', () => {
    const ids = add(new OutstandingPings(), 40);
    expect(new Set(ids).size).toBe(40);
    expect(ids[39]).toBe('14'); // base 36
  });

  it('leaves the routine ping after an unanswered first one bare, and none after that', () => {
    expect(add(new OutstandingPings(), 3, false)).toEqual(['1', undefined, '3']);
  });

  it('answers a ping and all before it', () => {
    const pings = new OutstandingPings();
    add(pings, 4);
    expect(pings.answer('3', 100)).toMatchObject({ seq: 3, sentAt: 2 });
    expect(pings.answer('2', 200)).toBeUndefined();
    expect(pings.owedSince).toBe(100);
  });

  it('passes over a pong that nobody asked for', () => {
    const pings = new OutstandingPings();
    expect(pings.answer(undefined, 100)).toBeUndefined();
    add(pings, 1);
    expect(pings.answer('x', 100)).toBeUndefined();
    expect(pings.answer(undefined, 100)).toBeUndefined();
    expect(pings.owedSince).toBe(0);
  });

  it('takes a peer that answers only the bare ping for an auto-responder', () => {
    const pings = new OutstandingPings();
    add(pings, 2, false);
    expect(pings.answer(undefined, 100)?.seq).toBe(2);
    expect([pings.add(2, true, NEVER).id, pings.add(3, true, NEVER).id]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('does not take one for it that has answered an id before', () => {
    const pings = new OutstandingPings();
    add(pings, 1);
    pings.answer('1', 100);
    pings.add(1, false, NEVER);
    pings.answer(undefined, 100);
    pings.add(2, false, NEVER);
    expect(pings.add(3, true, NEVER).id).toBe('4');
  });

  it('takes no sample from two bare pings that are out together', () => {
    const pings = new OutstandingPings();
    add(pings, 2, false);
    pings.answer(undefined, 100);
    const one = pings.add(2, true, NEVER);
    expect(one.sampled).toBe(true);
    const other = pings.add(3, true, NEVER);
    expect([one.sampled, other.sampled]).toEqual([false, false]);
  });

  it('takes a bare ping for lost that is out for longer than lostAfter', () => {
    const pings = new OutstandingPings();
    add(pings, 2, false);
    pings.answer(undefined, 100);
    pings.add(1_000, true, 500);
    expect(pings.add(1_500, true, 500).sampled).toBe(false);
    const next = pings.add(2_001, true, 500);
    expect(next.sampled).toBe(true);
    expect(pings.answer(undefined, 100)).toBe(next);
  });

  it('never takes a ping with an id for lost', () => {
    const pings = new OutstandingPings();
    add(pings, 1);
    pings.add(1_000_000, true, 500);
    expect(pings.answer('1', 100)?.seq).toBe(1);
  });

  it('remembers sixteen, among them the oldest, whose pong comes first', () => {
    const pings = new OutstandingPings();
    add(pings, 100);
    expect(pings.answer('1', 100)?.seq).toBe(1);
    expect(pings.owedSince).toBe(100);
    expect(pings.answer((100).toString(36), 101)?.seq).toBe(100);
    expect(pings.owedSince).toBeUndefined();
  });

  it('owes an answer since the first ping without one, also if that is lost', () => {
    const pings = new OutstandingPings();
    add(pings, 1);
    pings.answer('1', 100);
    pings.add(10, true, 5);
    pings.add(20, true, 5);
    pings.add(30, true, 5);
    expect(pings.owedSince).toBe(10);
  });

  it('takes an id that is given, and gives none that is out', () => {
    const pings = new OutstandingPings();
    expect(pings.add(0, true, NEVER, '2').id).toBe('2');
    expect(pings.has('2')).toBe(true);
    pings.add(0, true, NEVER, '3');
    expect(pings.add(1, true, NEVER).id).toBe('4');
    pings.answer('4', 100);
    expect(pings.has('2')).toBe(false);
  });

  it('counts the settled, and as lost those that an answer passed over', () => {
    const pings = new OutstandingPings();
    add(pings, 4);
    pings.answer('1', 100);
    pings.answer('4', 100);
    expect([pings.settled, pings.lost]).toEqual([4, 2]);
  });

  it('counts as lost what it gives up', () => {
    const pings = new OutstandingPings();
    add(pings, 1);
    pings.answer('1', 100);
    pings.add(10, true, 5);
    pings.add(20, true, 5);
    expect([pings.settled, pings.lost]).toEqual([2, 1]);
  });

  it('counts what it sent', () => {
    const pings = new OutstandingPings();
    add(pings, 100);
    expect(pings.sent).toBe(100);
  });

  it('takes no sample from what is out while it is distrusted', () => {
    const pings = new OutstandingPings();
    add(pings, 2);
    pings.distrust();
    pings.add(2, true, NEVER);
    expect(['1', '2', '3'].map((id) => pings.answer(id, 100)?.sampled)).toEqual([
      false,
      false,
      true,
    ]);
  });
});
