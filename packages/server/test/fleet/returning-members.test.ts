import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { Membership } from '../../src/fleet/membership.ts';
import { ReturningMembers } from '../../src/fleet/returning-members.ts';

/** Members whose pings the test answers. */
function stage(count: number) {
  const scheduler = new VirtualScheduler();
  const asked: number[] = [];
  const answers: ((isAlive: boolean) => void)[] = [];
  const returned: number[] = [];
  const members = Array.from({ length: count }, (_, order) => {
    const ask = () => {
      asked.push(order);
      return new Promise<boolean>((resolve) => answers.push(resolve));
    };
    return { order, answers: ask } as Partial<Membership> as Membership;
  });
  const returning = new ReturningMembers(scheduler, ({ order }) => returned.push(order));
  const answer = async (index: number, isAlive: boolean) => {
    answers[index]?.(isAlive);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { scheduler, members, returning, asked, returned, answer };
}

describe('ReturningMembers', () => {
  it('returns members once their clients have answered, and asks the others again when told to', async () => {
    const { members, returning, asked, returned, answer } = stage(3);
    returning.restart(members);
    expect(asked).toEqual([0, 1, 2]);
    await answer(1, true);
    await answer(2, false);
    expect(returned).toEqual([1]);
    returning.ask();
    expect(asked).toEqual([0, 1, 2, 2]); // the first has a ping to answer
    await answer(3, true);
    await answer(0, true);
    expect(returned).toEqual([1, 2, 0]);
    returning.ask();
    expect(asked).toHaveLength(4);
  });

  it('counts no answer to a ping from before the lease ended again', async () => {
    const { members, returning, asked, returned, answer } = stage(1);
    returning.restart(members);
    returning.restart(members);
    expect(asked).toEqual([0, 0]);
    await answer(0, true);
    expect(returned).toEqual([]);
    await answer(1, true);
    expect(returned).toEqual([0]);
  });

  it('returns no member that was deleted meanwhile', async () => {
    const { members, returning, returned, answer } = stage(1);
    returning.restart(members);
    returning.delete(members[0] as Membership);
    await answer(0, true);
    expect(returned).toEqual([]);
  });

  it('asks 200 at a time', () => {
    const { scheduler, members, returning, asked } = stage(450);
    returning.restart(members);
    expect(asked).toHaveLength(200);
    scheduler.advance(20);
    expect(asked).toHaveLength(400);
    scheduler.advance(1_000);
    expect(asked).toHaveLength(450);
    expect(scheduler.pending).toBe(0);
  });
});
