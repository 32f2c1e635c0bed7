import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { BatchedCalls } from '../../src/fleet/batched-calls.ts';
import { MemberList } from '../../src/fleet/member-list.ts';
import type { Membership } from '../../src/fleet/membership.ts';
import type { Claim, Grant, Registry } from '../../src/fleet/registry.ts';
import { RegistryCaller } from '../../src/fleet/registry-call.ts';

/** A node whose registry answers claims with `grants`. */
function stage(grants: readonly Grant[] | undefined) {
  const log: string[] = [];
  let isAway = false;
  const say = (text: string) => {
    log.push(text);
    if (isAway) throw new Error('away');
  };
  const registry = {
    claim: async (node: string, claims: readonly Claim[]) => {
      say(`claim ${node} ${claims.map(({ connection }) => connection)}`);
      return grants;
    },
    release: async (node: string, names: readonly string[], hold: number) => {
      say(`release ${node} ${names} ${hold}`);
    },
  } as Partial<Registry> as Registry;
  const members = new MemberList();
  const caller = new RegistryCaller(new VirtualScheduler(), 1_000, () => {});
  const calls = new BatchedCalls(registry, caller, members, {
    name: () => 'a.0',
    nameOf: ({ order }) => `a.0:${order}`,
    answered: (member, { epoch }) => {
      log.push(`answered ${member.order} ${epoch}`);
      members.granted(member);
    },
    released: (hold) => log.push(`released ${hold}`),
  });
  const add = (order: number) => {
    const member = { order, session: 's', user: 'ann', rank: 0, phase: 'new' };
    members.add(member as Partial<Membership> as Membership);
    return member as Partial<Membership> as Membership;
  };
  const setAway = (value: boolean) => {
    isAway = value;
  };
  return { log, members, calls, add, setAway };
}

const GRANT = { epoch: 7, waitsFor: [] };

describe('BatchedCalls', () => {
  it('sends claims before releases, and the releases with the time that users are held', async () => {
    const { log, members, calls, add } = stage([GRANT]);
    const older = add(1);
    await calls.send();
    add(2);
    members.remove(older, 'a.0:1');
    calls.hold = 3_000;
    log.length = 0;
    expect(await calls.send()).toBe('done');
    expect(log).toEqual([
      'claim a.0 a.0:2',
      'answered 2 7',
      'release a.0 a.0:1 3000',
      'released 3000',
    ]);
    expect([members.listed, members.isUnsettled]).toEqual([1, false]);
  });

  it('calls nothing if there is nothing to send', async () => {
    const { log, calls } = stage([]);
    expect([await calls.send(), await calls.release()]).toEqual(['done', 'done']);
    expect(log).toEqual([]);
  });

  it('keeps what a failed call did not settle, and sends it again', async () => {
    const { log, members, calls, add, setAway } = stage([GRANT]);
    const member = add(1);
    setAway(true);
    expect([await calls.send(), member.phase]).toEqual(['failed', 'sent']);
    members.remove(member, 'a.0:1'); // it may have been claimed
    expect(await calls.release()).toBe('failed');
    setAway(false);
    expect(await calls.send()).toBe('done');
    expect(log.slice(2)).toEqual(['release a.0 a.0:1 0', 'released 0']);
  });

  it('releases nothing once the node has lost its lease', async () => {
    const { log, members, calls, add } = stage(undefined);
    const older = add(1);
    add(2);
    older.phase = 'held';
    members.remove(older, 'a.0:1');
    expect(await calls.send()).toBe('lost');
    expect(log).toHaveLength(1);
  });

  it('sends at most 200 connections in one call', async () => {
    const { log, members, calls, add } = stage(new Array<Grant>(200).fill(GRANT));
    for (let order = 0; order < 201; order += 1) add(order);
    expect(await calls.send()).toBe('done');
    expect(log).toHaveLength(1 + 200);
    expect(members.isUnsettled).toBe(true);
  });
});
