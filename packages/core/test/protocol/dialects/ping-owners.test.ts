import { describe, expect, it } from 'vitest';
import { PingOwners } from '../../../src/protocol/dialects/ping-owners.ts';

describe('PingOwners', () => {
  it('gives pongs without an id to the oldest ping, whoever sent it', () => {
    const owners = new PingOwners();
    owners.add('1');
    const theirs = owners.addForeign();
    expect(owners.take()).toEqual({ id: '1', isOurs: true });
    expect(owners.take()).toEqual({ id: theirs, isOurs: false });
    expect(owners.take()).toBeUndefined();
  });

  it('forgets the older pings of the same side when a later one is answered by its id', () => {
    const owners = new PingOwners();
    owners.add('1');
    owners.addForeign('a');
    owners.add('2');
    expect(owners.take('2')).toEqual({ id: '2', isOurs: true });
    expect(owners.take('1')).toBeUndefined();
    expect(owners.take('a')).toEqual({ id: 'a', isOurs: false });
  });

  it('gives a pong without an id to the application where the peer echoes ids', () => {
    const owners = new PingOwners();
    owners.add('1');
    owners.take('1');
    owners.add('2');
    const theirs = owners.addForeign();
    expect(owners.take()).toEqual({ id: theirs, isOurs: false });
  });

  it('forgets the oldest ping when there are more than sixteen', () => {
    const owners = new PingOwners();
    for (let index = 0; index < 17; index += 1) owners.addForeign(`${index}`);
    expect(owners.isFull).toBe(true);
    expect(owners.take()).toEqual({ id: '1', isOurs: false });
    expect(owners.isFull).toBe(false);
  });
});
