import { beforeEach, describe, expect, it } from 'vitest';
import { PresenceView } from '../../src/fleet/presence-view.ts';
import type { PresenceChange, PresentUser } from '../../src/fleet/registry.ts';

const PATIENCE = 20_000;

/** A log that can lose what it holds, as a Redis does that restarts without its data. */
class Log {
  now = 0;
  epoch = 0;
  users: string[] = [];
  changes: PresenceChange[] = [];
  /** Runs once, after everybody was read and before the log is. */
  meanwhile = () => {};

  write(type: 'join' | 'leave', user: string, node = 'a'): void {
    this.changes.push({ type, user, node, at: this.now });
    this.users = this.users.filter((other) => other !== user);
    if (type === 'join') this.users.push(user);
  }

  move(user: string, from: string, node: string): void {
    this.changes.push({ type: 'move', user, from, node, at: this.now });
  }

  lose(): void {
    this.epoch += 1;
    this.users = [];
    this.changes = [];
  }

  view(): PresenceView {
    return new PresenceView({
      users: async () => {
        const users = this.users.map((user): PresentUser => ({ user, node: 'a', since: 0 }));
        const position = `${this.epoch}:${this.changes.length}`;
        this.meanwhile();
        this.meanwhile = () => {};
        return { position, users };
      },
      changes: async (position) => {
        const [epoch, from] = position.split(':').map(Number);
        if (epoch !== this.epoch) return undefined;
        return {
          position: `${epoch}:${this.changes.length}`,
          changes: this.changes.slice(from),
        };
      },
      now: () => this.now,
      patience: PATIENCE,
    });
  }
}

const names = (users: readonly PresentUser[]) => users.map(({ user }) => user);
const short = (changes: readonly PresenceChange[]) => {
  return changes.map(({ type, user }) => `${type} ${user}`);
};

describe('PresenceView', () => {
  let log: Log;
  let view: PresenceView;
  beforeEach(() => {
    log = new Log();
    view = log.view();
  });

  it('includes in the snapshot what changes while it is read, and does not repeat it', async () => {
    log.write('join', 'ann');
    log.write('join', 'bob');
    log.meanwhile = () => {
      log.write('leave', 'ann');
      log.write('join', 'cid');
    };
    expect(names(await view.load())).toEqual(['bob', 'cid']);
    expect(await view.pull()).toEqual([]);
  });

  it('starts again if the log is lost while the snapshot is read', async () => {
    log.write('join', 'ann');
    log.meanwhile = () => {
      log.lose();
      log.write('join', 'bob');
    };
    expect(names(await view.load())).toEqual(['bob']);
  });

  it('returns each change once, and a move with the node that it has shown before', async () => {
    await view.load();
    log.write('join', 'ann', 'a');
    log.move('ann', 'somewhere', 'b');
    log.write('join', 'ann', 'b'); // known already
    log.write('leave', 'bob'); // never known
    expect(await view.pull()).toEqual([
      { type: 'join', user: 'ann', node: 'a', at: 0 },
      { type: 'move', user: 'ann', from: 'a', node: 'b', at: 0 },
    ]);
    expect(await view.pull()).toEqual([]);
  });

  it('shows no leave of users who are registered again after the log was lost', async () => {
    for (const user of ['ann', 'bob']) log.write('join', user);
    await view.load();
    log.lose();
    log.write('join', 'cid');
    expect(short(await view.pull())).toEqual(['join cid']);
    log.now = PATIENCE - 1;
    log.write('join', 'ann');
    expect(await view.pull()).toEqual([]);
    log.now = PATIENCE;
    expect(short(await view.pull())).toEqual(['leave bob']);
    log.now = 10 * PATIENCE;
    expect(await view.pull()).toEqual([]);
    log.write('join', 'bob');
    expect(short(await view.pull())).toEqual(['join bob']);
  });

  it('waits anew for users who are missing when the log is lost twice', async () => {
    for (const user of ['ann', 'bob']) log.write('join', user);
    await view.load();
    log.lose();
    expect(await view.pull()).toEqual([]);
    log.now = PATIENCE - 1;
    log.lose();
    expect(await view.pull()).toEqual([]);
    log.now = PATIENCE + 1;
    log.write('join', 'ann');
    expect(await view.pull()).toEqual([]);
    log.now = 2 * PATIENCE;
    expect(short(await view.pull())).toEqual(['leave bob']);
  });
});
