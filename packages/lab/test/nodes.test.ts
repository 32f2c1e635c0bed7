import { describe, expect, it } from 'vitest';
import { Epochs } from '../nodes/epochs.ts';
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
