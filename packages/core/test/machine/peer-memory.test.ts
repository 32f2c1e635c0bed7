import { describe, expect, it } from 'vitest';
import { PeerMemory } from '../../src/machine/peer-memory.ts';

describe('PeerMemory', () => {
  it('asks a peer of whom nothing is known, and forgives it silence', () => {
    expect(new PeerMemory()).toMatchObject({ speaks: true, hasAnswered: false, forgives: true });
  });

  it('asks no more after two connections in a row without an answer', () => {
    const memory = new PeerMemory();
    memory.ended(false, false);
    expect(memory.speaks).toBe(true);
    memory.ended(false, false);
    expect(memory.speaks).toBe(false);
  });

  it('asks no more after two that were closed right after our first ping', () => {
    const memory = new PeerMemory();
    memory.closedAfterFirstPing();
    expect(memory.speaks).toBe(true);
    memory.closedAfterFirstPing();
    expect(memory).toMatchObject({ speaks: false, refuses: true });
  });

  it('asks once more after two without an answer, if told to, but not one that refuses', () => {
    const memory = new PeerMemory();
    for (const _ of [1, 2, 3]) memory.ended(false, false);
    memory.askAgain();
    expect(memory).toMatchObject({ speaks: true, forgives: true });
    memory.ended(false, false);
    expect(memory.speaks).toBe(false);
    for (const _ of [1, 2]) memory.closedAfterFirstPing();
    memory.askAgain();
    expect(memory.speaks).toBe(false);
  });

  it('asks again once it speaks', () => {
    const memory = new PeerMemory();
    for (const _ of [1, 2]) {
      memory.closedAfterFirstPing();
      memory.ended(false, false);
    }
    memory.answered(false);
    expect(memory).toMatchObject({ speaks: true, refuses: false, hasAnswered: true });
  });

  it('holds a peer to its answers until a connection was without one', () => {
    const memory = new PeerMemory();
    memory.answered(true);
    expect(memory.forgives).toBe(false);
    memory.ended(true, true);
    expect(memory.forgives).toBe(false);
    memory.ended(true, false);
    expect(memory.forgives).toBe(true);
  });

  it('doubles pingTimeout with each death in a row, to 60 s', () => {
    const memory = new PeerMemory();
    const stretched = Array.from({ length: 5 }, () => {
      memory.ended(true, true);
      return memory.stretch(5_000);
    });
    expect(stretched).toEqual([10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it('does not shorten a pingTimeout beyond 60 s, and stays finite', () => {
    const memory = new PeerMemory();
    for (let deaths = 0; deaths < 5_000; deaths += 1) memory.ended(true, true);
    expect([memory.stretch(90_000), memory.stretch(1)]).toEqual([90_000, 60_000]);
    expect(memory.stretch(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });

  it('ends the row of deaths with an answer in time, not with a late one', () => {
    const memory = new PeerMemory();
    memory.ended(true, true);
    memory.answered(false);
    expect(memory.stretch(5_000)).toBe(10_000);
    memory.answered(true);
    expect(memory.stretch(5_000)).toBe(5_000);
  });

  it('counts no death where there was none', () => {
    const memory = new PeerMemory();
    memory.ended(false, true);
    expect(memory.stretch(5_000)).toBe(5_000);
  });
});
