// What every registry does, apart from what the model checks.
import { VirtualScheduler } from '@wirebeat/core/testing';
import { expect, it } from 'vitest';
import type { Claim, PresenceChange, Registry } from '../../src/fleet/registry.ts';
import { FleetModel, GRACE, LEASE, type RegistryMaker } from './fleet-model.ts';

const claimOf = (connection: string, client: number | string, rank = 0): Claim => ({
  connection,
  session: `session-${client}`.padEnd(22, '-'),
  user: `user ${client}`,
  rank,
});

/** Tests any registry. `make` is called once per test. */
export function describeRegistry(make: RegistryMaker): void {
  async function setUp(...nodes: string[]) {
    const clock = new VirtualScheduler(1_000_000);
    const { registry, settled } = await make(clock);
    for (const node of nodes) await registry.renew(node, true);
    return { clock, registry, settled };
  }

  /** Everything that was logged, in pages. */
  async function logOf(registry: Registry, from: string): Promise<PresenceChange[]> {
    const all: PresenceChange[] = [];
    let position = from;
    for (;;) {
      const page = await registry.changes(position);
      if (page === undefined) throw new Error('the log does not reach back');
      if (page.changes.length === 0) return all;
      all.push(...page.changes);
      position = page.position;
    }
  }

  it('refuses a node that has had no lease, and one whose lease is over but not reaped', async () => {
    const { clock, registry } = await setUp('a.0', 'b.0');
    expect(await registry.renew('c.0', false)).toBeUndefined();
    expect(await registry.claim('c.0', [claimOf('c.0:1', 1)])).toBeUndefined();
    clock.advance(LEASE);
    expect(await registry.claim('a.0', [claimOf('a.0:1', 1)])).toBeUndefined();
    expect(await registry.renew('a.0', true)).toBeUndefined();
    expect(await registry.renew('a.1', true)).toMatchObject({ held: 0, revoked: [] });
  });

  it('grants rising epochs, and says which older connections have not ended', async () => {
    const { registry } = await setUp('a.0', 'b.0');
    const [first] = (await registry.claim('a.0', [claimOf('a.0:1', 1)])) ?? [];
    const [second] = (await registry.claim('b.0', [claimOf('b.0:1', 1)])) ?? [];
    expect(first?.waitsFor).toEqual([]);
    expect(second?.waitsFor).toEqual(['a.0:1']);
    expect(second?.epoch).toBeGreaterThan(first?.epoch ?? 0);
    expect((await registry.renew('a.0', false))?.revoked).toEqual(['a.0:1']);
    await registry.release('a.0', ['a.0:1'], 0);
    expect((await registry.renew('a.0', false))?.revoked).toEqual([]);
    const again = await registry.claim('b.0', [claimOf('b.0:1', 1)]);
    expect(again).toEqual([{ epoch: second?.epoch, waitsFor: [] }]);
  });

  it('waits for every older connection, not just for the last', async () => {
    const { registry } = await setUp('a.0', 'b.0', 'c.0');
    await registry.claim('a.0', [claimOf('a.0:1', 1)]);
    await registry.claim('b.0', [claimOf('b.0:1', 1)]);
    await registry.release('b.0', ['b.0:1'], 0);
    const [third] = (await registry.claim('c.0', [claimOf('c.0:1', 1)])) ?? [];
    expect(third?.waitsFor).toEqual(['a.0:1']);
  });

  it('tells the older node of the claim, and the newer one when the older has ended', async () => {
    const { registry, settled } = await setUp('a.0', 'b.0');
    const heard: string[] = [];
    for (const instance of ['a', 'b']) {
      await registry.listen(instance, (message) => heard.push(`${instance}: ${message}`));
    }
    await registry.claim('a.0', [claimOf('a.0:1', 1)]);
    await registry.claim('b.0', [claimOf('b.0:1', 1)]);
    await settled();
    expect(heard).toEqual(['a: revoked a.0:1']);
    await registry.release('a.0', ['a.0:1'], 0);
    await registry.send('a', 'question');
    await settled();
    expect(heard.slice(1).sort()).toEqual(['a: question', 'b: cleared b.0:1']);
  });

  it('logs one join and one leave of a user with several connections', async () => {
    const { clock, registry } = await setUp('a.0', 'b.0');
    const { position } = await registry.users();
    const tab = (connection: string, session: string) => ({
      ...claimOf(connection, session),
      user: 'ann: the 1st',
    });
    await registry.claim('a.0', [tab('a.0:1', 'x'), tab('a.0:2', 'y')]);
    await registry.claim('b.0', [tab('b.0:1', 'z')]);
    const places = await registry.find('ann: the 1st');
    expect(places.map(({ node, connection }) => [node, connection]).sort()).toEqual([
      ['a', 'a.0:1'],
      ['a', 'a.0:2'],
      ['b', 'b.0:1'],
    ]);
    await registry.release('a.0', ['a.0:1', 'a.0:2'], 0);
    clock.advance(GRACE + 1_000);
    await registry.renew('a.0', false);
    await registry.renew('b.0', false);
    expect((await registry.users()).users).toMatchObject([{ user: 'ann: the 1st', node: 'a' }]);
    await registry.release('b.0', ['b.0:1'], 2_000);
    clock.advance(GRACE + 1_000);
    expect((await registry.renew('a.0', false))?.users).toBe(1); // held for two seconds more
    clock.advance(1_000);
    await registry.renew('b.0', false);
    const log = await logOf(registry, position);
    expect(log.map(({ type, user, node }) => [type, user, node])).toEqual([
      ['join', 'ann: the 1st', 'a'],
      ['leave', 'ann: the 1st', 'a'],
    ]);
    expect((await registry.users()).users).toEqual([]);
    expect((await registry.renew('a.0', false))?.users).toBe(0);
  });

  it('logs a move to another node, also of a user who comes back within the grace period', async () => {
    const { clock, registry } = await setUp('a.0', 'b.0');
    const { position } = await registry.users();
    await registry.claim('a.0', [claimOf('a.0:1', 1)]);
    await registry.claim('b.0', [claimOf('b.0:1', 1)]);
    await registry.release('a.0', ['a.0:1'], 0);
    await registry.release('b.0', ['b.0:1'], 0);
    clock.advance(1_000);
    await registry.claim('a.0', [claimOf('a.0:2', 1)]);
    clock.advance(GRACE);
    await registry.renew('a.0', false);
    const log = await logOf(registry, position);
    const shown = log.map((change) => [change.type, 'from' in change && change.from, change.node]);
    expect(shown).toEqual([
      ['join', false, 'a'],
      ['move', 'a', 'b'],
      ['move', 'b', 'a'],
    ]);
    expect((await registry.users()).users).toMatchObject([{ user: 'user 1', node: 'a' }]);
  });

  it('does not count the time in which no node could renew its lease', async () => {
    const { clock, registry } = await setUp('a.0', 'b.0');
    const { position } = await registry.users();
    await registry.claim('a.0', [claimOf('a.0:1', 1)]);
    await registry.claim('b.0', [claimOf('b.0:1', 2)]);
    await registry.release('b.0', ['b.0:1'], 0); // user 2 leaves
    clock.advance(1_000);
    await registry.renew('b.0', false);
    clock.advance(4 * LEASE);
    const renew = async () => {
      await registry.renew('c.0', true);
      return (await logOf(registry, position)).slice(2).map(({ type, user }) => `${type} ${user}`);
    };
    expect(await renew()).toEqual([]);
    clock.advance(GRACE - 1_001);
    expect(await renew()).toEqual([]);
    clock.advance(1);
    expect(await renew()).toEqual(['leave user 2']); // a grace period after its connection, all told
    clock.advance(5_000);
    expect(await registry.renew('c.0', false)).toMatchObject({ reaped: 0, isReaping: false });
    clock.advance(LEASE - GRACE - 5_000 - 1);
    expect(await registry.renew('c.0', false)).toMatchObject({ reaped: 0, isReaping: false });
    clock.advance(1);
    expect(await registry.renew('c.0', false)).toMatchObject({ reaped: 1, isReaping: true }); // a
  });

  it('does not return the log from a position that it does not know', async () => {
    const { registry } = await setUp('a.0');
    expect(await registry.changes('99999999999999-1')).toBeUndefined();
  });

  it('lists nobody as present whose user is unknown', async () => {
    const { registry } = await setUp('a.0');
    await registry.claim('a.0', [{ ...claimOf('a.0:1', 1), user: '' }]);
    expect((await registry.renew('a.0', false))?.users).toBe(0);
    await registry.release('a.0', ['a.0:1'], 0);
    expect(await registry.held('a.0')).toEqual([]);
  });

  it('keeps a node that still has connections', async () => {
    const { registry } = await setUp('a.0');
    await registry.claim('a.0', [claimOf('a.0:1', 1)]);
    await registry.remove('a.0');
    expect(await registry.renew('a.0', false)).toMatchObject({ held: 1 });
    await registry.release('a.0', ['a.0:1'], 0);
    await registry.remove('a.0');
    expect(await registry.renew('a.0', false)).toBeUndefined();
  });

  it('logs one leave for each of 10 000 users of a dead node, whoever removes them', async () => {
    const COUNT = 10_000;
    const { clock, registry } = await setUp('a.0', 'b.0', 'c.0');
    const { position } = await registry.users();
    for (let index = 0; index < COUNT; index += 200) {
      const batch = Array.from({ length: 200 }, (_, of) =>
        claimOf(`a.0:${index + of}`, index + of),
      );
      await registry.claim('a.0', batch);
    }
    let reaped = 0;
    for (let round = 0; round < 60; round += 1) {
      clock.advance(round < 3 ? LEASE / 3 : 250); // a does not renew its lease
      const renewals = [await registry.renew('b.0', false), await registry.renew('c.0', false)];
      for (const renewal of renewals) reaped += renewal?.reaped ?? 0;
    }
    expect(reaped).toBe(COUNT);
    expect(await registry.renew('a.0', false)).toBeUndefined();
    const log = await logOf(registry, position);
    const left = log.filter(({ type }) => type === 'leave').map(({ user }) => user);
    expect([log.length, left.length, new Set(left).size]).toEqual([2 * COUNT, COUNT, COUNT]);
  });

  it('asks a node to call again at once while leaves may be left to write', async () => {
    const { clock, registry } = await setUp('a.0', 'b.0');
    const connections = Array.from({ length: 1_200 }, (_, index) => `a.0:${index}`);
    const claims = connections.map((connection, index) => claimOf(connection, index));
    for (let at = 0; at < claims.length; at += 200) {
      await registry.claim('a.0', claims.slice(at, at + 200));
    }
    await registry.release('a.0', connections, 0);
    expect(await registry.renew('b.0', false)).toMatchObject({ users: 1_200, isReaping: false });
    clock.advance(GRACE + 1);
    const renewals = [];
    for (let round = 0; round < 3; round += 1) renewals.push(await registry.renew('b.0', false));
    expect(renewals).toMatchObject([
      { users: 700, isReaping: true },
      { users: 200, isReaping: true },
      { users: 0, isReaping: false },
    ]);
  });

  it('has the leaves of 1 200 users written as soon as their grace period is over', async () => {
    const fleet = await FleetModel.make(make, 1);
    for (let user = 0; user < 1_200; user += 1) fleet.connect(2 * user, 0);
    await fleet.advance(1_000);
    for (const connection of fleet.open) connection.end();
    await fleet.advance(GRACE + 1_500);
    const left = fleet.seen.filter(({ type }) => type === 'leave');
    expect(new Set(left.map(({ user }) => user)).size).toBe(1_200);
  });
}
