import { describe, expect, it } from 'vitest';
import { ConnectionMap, type Member } from '../../src/fleet/connection-map.ts';

const memberOf = (name: string) => ({ socket: { name }, place: -1 });

function setUp(...names: string[]) {
  const roster = new ConnectionMap<{ name: string }, Member & { socket: { name: string } }>();
  const members = names.map(memberOf);
  for (const member of members) roster.add(member);
  return { roster, members };
}

describe('ConnectionMap', () => {
  it('finds a member by its socket, and nobody by another', () => {
    const { roster, members } = setUp('a', 'b');
    for (const member of members) {
      expect(roster.get(member.socket)).toBe(member);
      expect(roster.has(member.socket)).toBe(true);
    }
    expect(roster.get(memberOf('a').socket)).toBeUndefined();
    expect(roster.has(memberOf('a').socket)).toBe(false);
    expect(roster.size).toBe(2);
  });

  it('is not seen by another roster, nor on the socket', () => {
    const { roster, members } = setUp('a');
    const [member = memberOf('')] = members;
    expect(setUp().roster.has(member.socket)).toBe(false);
    expect(Object.keys(member.socket)).toEqual(['name']);
    expect({ ...member.socket }).toEqual({ name: 'a' });
    roster.delete(member.socket);
    expect(Reflect.ownKeys(member.socket)).toEqual(['name']);
  });

  it.each(['a', 'b', 'c'])('loses %s alone, once', (gone) => {
    const { roster, members } = setUp('a', 'b', 'c');
    const left = members.filter(({ socket }) => socket.name !== gone);
    for (const { socket } of members) {
      if (socket.name !== gone) continue;
      roster.delete(socket);
      roster.delete(socket);
    }
    expect(new Set(roster.values())).toEqual(new Set(left));
    for (const { socket } of left) roster.delete(socket);
    expect(roster.size).toBe(0);
  });

  it('goes through all as they are when that begins', () => {
    const { roster, members } = setUp('a', 'b', 'c');
    const met: string[] = [];
    for (const { socket } of roster.values()) {
      met.push(socket.name);
      roster.delete(socket);
      if (met.length === 1) roster.add(memberOf('d'));
    }
    expect(met).toEqual(['a', 'b', 'c']);
    expect([...roster.keys()].map(({ name }) => name)).toEqual(['d']);
    expect(members.some(({ socket }) => roster.has(socket))).toBe(false);
  });

  it('can be read as a Map can', () => {
    const { roster, members } = setUp('a', 'b');
    const map = new Map(members.map((member) => [member.socket, member]));
    expect(new Map(roster)).toEqual(map);
    expect(new Map(roster.entries())).toEqual(map);
    expect([...roster.keys()]).toEqual([...map.keys()]);
    const met: unknown[] = [];
    roster.forEach((...all) => {
      met.push(all);
    });
    expect(met).toEqual(members.map((member) => [member, member.socket, roster]));
  });
});
