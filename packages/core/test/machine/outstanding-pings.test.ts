import { describe, expect, it } from 'vitest';
import { type OutstandingPing, OutstandingPings } from '../../src/machine/outstanding-pings.ts';

const NEVER = Number.POSITIVE_INFINITY;

type Given = { id?: string; sentAt?: number; lostAfter?: number; asked?: boolean };

/** Sends a ping, a bare one unless it needs an id. */
function send(pings: OutstandingPings, given: Given = {}): OutstandingPing {
  const { id, sentAt = pings.sent + 1, lostAfter = NEVER, asked = false } = given;
  return pings.add(sentAt, true, asked, lostAfter, id);
}

/** So many, with the ids 1, 2, 3 … in base 36, sent at these instants. */
function some(count: number): OutstandingPings {
  const pings = new OutstandingPings();
  for (let seq = 1; seq <= count; seq += 1) send(pings, { id: seq.toString(36) });
  return pings;
}

/** After a first ping, which the peer has answered by its id. */
function acquainted(): OutstandingPings {
  const pings = some(1);
  pings.answer('1', 1);
  return pings;
}

describe('OutstandingPings', () => {
  it('answers a ping and all before it', () => {
    const pings = some(4);
    expect(pings.answer('3', 100)).toMatchObject({ seq: 3, sentAt: 3 });
    expect(pings.answer('2', 200)).toBeUndefined();
    expect(pings.owedSince).toBe(100);
    expect(pings.oldest?.seq).toBe(4);
  });

  it('ignores an unsolicited pong', () => {
    const pings = new OutstandingPings();
    send(pings, { sentAt: 0.5 });
    expect(pings.answer('x', 100)).toBeUndefined();
    expect(pings.answer(undefined, 100)).toBeUndefined();
    expect(pings.owedSince).toBe(0);
    expect(pings.answersIds).toBeUndefined();
  });

  it('is empty once the last is answered', () => {
    const pings = some(2);
    pings.answer('2', 100);
    expect(pings.oldest).toBeUndefined();
    expect(pings.sent).toBe(2);
  });

  it('answers the oldest of two bare pings first', () => {
    const pings = acquainted();
    pings.answersIds = false;
    send(pings);
    send(pings);
    expect(pings.answer(undefined, 100)?.seq).toBe(2);
    expect(pings.answer(undefined, 101)?.seq).toBe(3);
  });

  it('takes no sample from two bare pings that are unanswered together', () => {
    const pings = some(1);
    pings.answersIds = false;
    const one = send(pings);
    const third = send(pings, { id: '3' });
    expect(one.sampled).toBe(true);
    const other = send(pings);
    expect([one.sampled, other.sampled, third.sampled]).toEqual([false, false, true]);
  });

  it('gives up a bare ping that is unanswered for longer than lostAfter', () => {
    const pings = some(1);
    pings.answersIds = false;
    send(pings, { sentAt: 1_000 });
    expect(send(pings, { sentAt: 1_500, lostAfter: 500 }).sampled).toBe(false);
    const last = send(pings, { sentAt: 2_001, lostAfter: 500 });
    expect(last.sampled).toBe(true);
    expect(pings.answer(undefined, 3_000)).toBe(last);
  });

  it('never gives up a ping with an id', () => {
    const pings = some(1);
    send(pings, { id: '2', sentAt: 1_000_000, lostAfter: 500 });
    expect(pings.answer('1', 100)?.seq).toBe(1);
  });

  it('remembers sixteen, among them the oldest, whose pong comes first', () => {
    const pings = some(100);
    expect(pings.has('2')).toBe(false);
    expect(pings.has((85).toString(36))).toBe(false);
    expect(pings.has((86).toString(36))).toBe(true);
    expect(pings.answer('1', 100)?.seq).toBe(1);
    expect(pings.answer((100).toString(36), 101)?.seq).toBe(100);
  });

  it('owes an answer since the first ping without one, also if that is given up', () => {
    const pings = acquainted();
    for (const sentAt of [10.75, 20, 30]) send(pings, { sentAt, lostAfter: 5 });
    expect(pings.owedSince).toBe(10);
  });

  it('knows which ids are unanswered, and whether a bare ping is', () => {
    const pings = some(1);
    expect([pings.has('1'), pings.has('2'), pings.has()]).toEqual([true, false, false]);
    send(pings);
    expect(pings.has()).toBe(true);
  });

  it('takes no sample from what is unanswered while it is distrusted', () => {
    const pings = some(2);
    pings.distrust();
    send(pings, { id: '3' });
    const sampled = ['1', '2', '3'].map((id) => pings.answer(id, 100)?.sampled);
    expect(sampled).toEqual([false, false, true]);
  });

  it('gives the first ping an id, and then only one that needs it', () => {
    const pings = new OutstandingPings();
    expect(send(pings).id).toBe('1');
    expect(send(pings).id).toBeUndefined(); // the peer may answer only bare pings
    expect(send(pings).id).toBe('3');
    expect(send(pings, { asked: true }).id).toBe('4');
    pings.answer('4', 10);
    expect(send(pings, { asked: true }).id).toBeUndefined();
    expect(send(pings).id).toBe('6');
  });

  it('uses no id that an unanswered ping has', () => {
    const pings = acquainted();
    send(pings, { id: '3' });
    expect(send(pings, { asked: true }).id).toBe('4');
  });

  it('sends only bare pings to a peer that ignored the first and answered the second', () => {
    const pings = new OutstandingPings();
    send(pings);
    send(pings);
    pings.answer(undefined, 10);
    expect(pings.answersIds).toBe(false);
    send(pings);
    expect(send(pings, { asked: true }).id).toBeUndefined();
    pings.answer(undefined, 20);
    send(pings, { id: 'x' });
    pings.answer('x', 30);
    expect(pings.answersIds).toBe(true);
  });
});
