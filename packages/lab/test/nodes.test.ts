import { describe, expect, it } from 'vitest';
import { Epochs } from '../nodes/epochs.ts';
import { Ghosts } from '../nodes/ghosts.ts';
import { FAULTS, plan } from '../nodes/plan.ts';
import { WatchedPresence } from '../nodes/watched-presence.ts';

describe('Epochs', () => {
  it('find nothing wrong if an older connection is not current after a newer one', () => {
    const epochs = new Epochs();
    epochs.said('a', 2, 300); // facts of several servers come in any order
    epochs.said('a', 1, 100);
    epochs.said('a', 1, 299);
    epochs.said('b', 3, 100);
    expect(epochs.check()).toEqual([]);
    expect(epochs.count).toBe(3);
  });

  it('find an older connection that is still current', () => {
    const epochs = new Epochs();
    epochs.said('a', 1, 100);
    epochs.said('a', 2, 200);
    epochs.said('a', 1, 250);
    expect(epochs.check()).toEqual(['a: an older epoch was current 50 ms after a newer one']);
  });
});

describe('Ghosts', () => {
  const BOUND = 16_000; // with a detectionBound of 7.3 s

  /** Servers renew their leases once a second, but for gaps. A user goes after 10 s. */
  class Stage {
    readonly ghosts = new Ghosts();
    readonly #watched = new WatchedPresence();

    constructor(gap: { from: number; to: number } = { from: 0, to: 0 }) {
      for (let at = 0; at <= 60_000; at += 1_000) {
        if (at <= gap.from || at >= gap.to) this.ghosts.renewed(at);
      }
      this.#watched.saw({ type: 'snapshot', users: ['ann'] }, 0);
      this.ghosts.gone('ann', 10_000);
      this.ghosts.note('stop node 1', 9_000);
    }

    ends(server: string, at: number, bound = 7_000): void {
      this.ghosts.ended('ann', { client: '/0', server, reason: 'closed', at, bound });
    }

    /** How many leave late, if the user leaves so many ms after going. */
    late(leavesAfter: number): number {
      this.#watched.left.set('ann', [10_000 + leavesAfter]);
      return this.check(leavesAfter > 0).length;
    }

    check(hasLeft: boolean): readonly string[] {
      if (hasLeft) this.#watched.present.clear();
      return this.ghosts.check(BOUND, this.#watched);
    }
  }

  it('are users who never leave, or after the bound', () => {
    const stage = new Stage();
    stage.ends('server 1', 12_000);
    expect(stage.check(false)).toEqual([
      'ann is still present: stop node 1 -1.0 s, /0 ended on server 1 (closed, bound 7.0 s) 2.0 s',
    ]);
    expect([stage.late(16_000), stage.late(16_100)]).toEqual([0, 1]);
  });

  it('are given the whole time in which no server could renew its lease', () => {
    const stage = new Stage({ from: 12_000, to: 15_000 });
    expect([stage.late(19_000), stage.late(19_100)]).toEqual([0, 1]);
    expect(new Stage({ from: 5_000, to: 9_000 }).late(16_100)).toBe(1); // over before the user went
  });

  it('are given by how much a renewal was late', () => {
    const stage = new Stage({ from: 12_000, to: 14_000 }); // due after 1 333 ms
    expect([stage.late(16_600), stage.late(16_700)]).toEqual([0, 1]);
  });

  it('are given what a stall adds to the detection by their own server, if it keeps its lease', () => {
    const stage = new Stage();
    stage.ends('server 1', 20_000);
    stage.ghosts.stalled({ server: 'server 0', from: 15_000, to: 17_000 });
    expect(stage.late(16_100)).toBe(1);
    stage.ghosts.stalled({ server: 'server 1', from: 12_000, to: 16_000 }); // as long as a lease
    stage.ghosts.stalled({ server: 'server 1', from: 5_000, to: 8_000 }); // before the user went
    expect(stage.late(16_100)).toBe(1);
    stage.ghosts.stalled({ server: 'server 1', from: 15_000, to: 17_000 });
    expect([stage.late(21_700), stage.late(21_800)]).toEqual([0, 1]); // 2 + 3 + 0.25 + 0.52 s
  });

  it('are given by how much their server is slower because it is overloaded', () => {
    const stage = new Stage();
    stage.ends('server 1', 20_000, 9_333);
    expect([stage.late(17_900), stage.late(18_100)]).toEqual([0, 1]);
  });
});

describe('WatchedPresence', () => {
  it('finds nothing wrong if users join and leave in turn', () => {
    const watched = new WatchedPresence();
    watched.saw({ type: 'snapshot', users: ['ann'] }, 1);
    watched.saw({ type: 'move', user: 'ann' }, 2);
    watched.saw({ type: 'leave', user: 'ann' }, 3);
    watched.saw({ type: 'join', user: 'ann' }, 4);
    expect([watched.violations, [...watched.present], watched.left.get('ann')]).toEqual([
      [],
      ['ann'],
      [3],
    ]);
  });

  it('finds everything that comes twice or too early', () => {
    const watched = new WatchedPresence();
    watched.saw({ type: 'join', user: 'ann' }, 1);
    watched.saw({ type: 'snapshot', users: [] }, 2);
    watched.saw({ type: 'join', user: 'ann' }, 3);
    watched.saw({ type: 'leave', user: 'bob' }, 4);
    watched.saw({ type: 'snapshot', users: [] }, 5);
    expect(watched.violations).toEqual([
      'join of ann before the snapshot',
      'ann joined twice',
      'leave of bob, who is not present',
      'a second snapshot',
    ]);
  });
});

describe('the plan of a soak with several servers', () => {
  const MINUTES_10 = 600_000;

  it('is the same for the same seed, and another for another', () => {
    expect(plan(7, MINUTES_10, 3)).toEqual(plan(7, MINUTES_10, 3));
    expect(plan(7, MINUTES_10, 3)).not.toEqual(plan(8, MINUTES_10, 3));
  });

  it('has every kind of fault, also in one minute a restart of Redis', () => {
    const kinds = new Set(plan(1, MINUTES_10, 3).map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(FAULTS));
    const [restart] = plan(1, 60_000, 3).filter(({ kind }) => kind === 'restart Redis');
    expect(restart?.lasts).toBe(20_000);
  });

  it('has one fault of a server at a time', () => {
    const busy = [0, 0, 0];
    for (const { at, kind, node, lasts } of plan(2, MINUTES_10, 3)) {
      if (kind === 'silent cut' || kind === 'stop Redis' || kind === 'restart Redis') continue;
      expect(at).toBeGreaterThanOrEqual(busy[node] ?? 0);
      busy[node] = at + lasts;
    }
  });
});
