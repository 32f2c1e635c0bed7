import { describe, expect, it } from 'vitest';
import { FreezableScheduler } from '../../src/testing/freezable-scheduler.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import { schedulerContract } from '../scheduler-contract.ts';

function setUp() {
  const world = new VirtualScheduler();
  const program = new FreezableScheduler(world);
  const log: [at: number, name: string][] = [];
  const note = (name: string) => () => {
    log.push([world.now(), name]);
  };
  return { world, program, log, note };
}

describe('FreezableScheduler', () => {
  describe('before it was ever frozen', () => {
    schedulerContract(() => {
      const { world, program } = setUp();
      return { scheduler: program, advance: (by) => world.advance(by) };
    });
  });

  describe('once it has thawed', () => {
    schedulerContract(() => {
      const { world, program } = setUp();
      program.freeze();
      program.thaw();
      return { scheduler: program, advance: (by) => world.advance(by) };
    });
  });

  it('tells the time of the world, also while frozen', () => {
    const { world, program } = setUp();
    program.freeze();
    world.advance(100);
    expect(program.now()).toBe(100);
  });

  describe('timers', () => {
    it('that become due while frozen run at the thaw, in the order in which they were due', () => {
      const { world, program, log, note } = setUp();
      program.at(30, note('third'));
      program.at(10, note('first'));
      program.at(20, note('second'));
      world.advance(5);
      program.freeze();
      world.advance(995);
      expect(log).toEqual([]);
      program.thaw();
      expect(log).toEqual([]);
      world.advance(0);
      expect(log).toEqual([
        [1_000, 'first'],
        [1_000, 'second'],
        [1_000, 'third'],
      ]);
      world.advance(1_000);
      expect(log).toHaveLength(3);
    });

    it('that ran late do not run again at the next thaw', () => {
      const { world, program, log, note } = setUp();
      program.at(10, note('it'));
      for (let round = 0; round < 3; round += 1) {
        program.freeze();
        world.advance(100);
        program.thaw();
        world.advance(100);
      }
      expect(log).toEqual([[100, 'it']]);
    });

    it('that are due after the thaw are on time', () => {
      const { world, program, log, note } = setUp();
      program.at(500, note('it'));
      program.freeze();
      world.advance(100);
      program.thaw();
      world.advance(1_000);
      expect(log).toEqual([[500, 'it']]);
    });

    it('that wait for the thaw can be cancelled, before it and after', () => {
      const { world, program, log, note } = setUp();
      const timers = [program.at(10, note('one')), program.at(10, note('other'))];
      program.freeze();
      world.advance(100);
      timers[0]?.cancel();
      program.thaw();
      timers[1]?.cancel();
      world.advance(100);
      expect(log).toEqual([]);
      expect(world.pending).toBe(0);
    });

    it('wait on if it is frozen anew before they ran', () => {
      const { world, program, log, note } = setUp();
      program.at(10, note('it'));
      program.freeze();
      world.advance(100);
      program.thaw();
      program.freeze();
      world.advance(100);
      expect(log).toEqual([]);
      program.thaw();
      world.advance(0);
      expect(log).toEqual([[200, 'it']]);
    });
  });

  describe('arrivals', () => {
    it('are taken at once while it runs', () => {
      const { program, log, note } = setUp();
      program.arrive(note('it'));
      expect(log).toEqual([[0, 'it']]);
    });

    it('wait while it is frozen, and come in order after the overdue timers', () => {
      const { world, program, log, note } = setUp();
      program.at(50, note('timer'));
      program.freeze();
      program.arrive(note('one'));
      world.advance(100);
      program.arrive(note('two'));
      program.thaw();
      expect(log).toEqual([]);
      world.advance(0);
      expect(log).toEqual([
        [100, 'timer'],
        [100, 'one'],
        [100, 'two'],
      ]);
    });

    it('come as much later as it takes to read again, and none overtakes them', () => {
      const { world, program, log, note } = setUp();
      program.freeze();
      program.arrive(note('one'));
      program.thaw(100);
      world.advance(99);
      program.arrive(note('two'));
      expect(log).toEqual([]);
      world.advance(1);
      program.arrive(note('three'));
      expect(log).toEqual([
        [100, 'one'],
        [100, 'two'],
        [100, 'three'],
      ]);
    });

    it('wait on if it is frozen anew before they were read', () => {
      const { world, program, log, note } = setUp();
      program.freeze();
      program.arrive(note('one'));
      program.thaw(100);
      world.advance(50);
      program.freeze();
      world.advance(100);
      expect(log).toEqual([]);
      program.thaw(30);
      world.advance(30);
      expect(log).toEqual([[180, 'one']]);
    });

    it('are read once, by the newest thaw', () => {
      const { world, program, log, note } = setUp();
      program.freeze();
      program.arrive(note('one'));
      program.thaw(100);
      world.advance(50);
      program.freeze();
      program.thaw(200);
      world.advance(199);
      expect(log).toEqual([]);
      world.advance(1_000);
      expect(log).toEqual([[250, 'one']]);
    });

    it('wait on if one of them freezes it', () => {
      const { world, program, log, note } = setUp();
      program.freeze();
      program.arrive(() => program.freeze());
      program.arrive(note('behind'));
      program.thaw();
      world.advance(0);
      expect(log).toEqual([]);
      program.thaw();
      world.advance(0);
      expect(log).toEqual([[0, 'behind']]);
    });
  });

  it('is not changed by a thaw while it runs', () => {
    const { world, program, log, note } = setUp();
    program.thaw(1_000);
    program.arrive(note('it'));
    expect(log).toEqual([[0, 'it']]);
    expect(world.pending).toBe(0);
  });
});
