import { describe, expect, it } from 'vitest';
import { Invariants, type Silence } from '../soak/invariants.ts';
import { growth, memoryViolations, type Sample } from '../soak/memory-slope.ts';
import { FAULTS, plan } from '../soak/plan.ts';
import { drawTimeline } from '../soak/timeline.ts';

const told = ({ violations }: Invariants) =>
  violations.map(({ invariant, client, what }) => `${invariant}: ${client} ${what}`);

describe('Invariants', () => {
  it('finds nothing wrong where a client comes back, and repeats what it is not sure of', () => {
    const invariants = new Invariants();
    invariants.opened('a', 1);
    invariants.spoke('a', 1);
    invariants.arrived('a', 1, 1);
    invariants.arrived('a', 1, 2);
    invariants.opened('a', 2); // made before the other breaks
    invariants.ended('a', 1); // by the session
    invariants.spoke('a', 2);
    invariants.arrived('a', 2, 2);
    invariants.arrived('a', 2, 3);
    expect(invariants.missing({ a: 3, b: 0 })).toBe(0);
    invariants.finish({ a: 3 });
    expect(told(invariants)).toEqual([]);
    expect([invariants.messages, invariants.repeats]).toEqual([4, 1]);
  });

  it('finds two live connections of one client, and not of two', () => {
    const invariants = new Invariants();
    for (const [client, connection] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ] as const) {
      invariants.opened(client, connection);
      invariants.spoke(client, connection);
    }
    expect(told(invariants)).toEqual([
      'one live socket: a its connections 1 and 3 were live at once',
    ]);
  });

  it('finds a late message of a connection that was replaced', () => {
    const invariants = new Invariants();
    invariants.opened('a', 1);
    invariants.spoke('a', 1);
    invariants.opened('a', 2);
    invariants.ended('a', 1);
    invariants.spoke('a', 2);
    invariants.arrived('a', 1, 1);
    expect(told(invariants)).toEqual([
      'one live socket: a message 1 came by connection 1, after 2 had spoken',
    ]);
  });

  it('finds a message that was lost, on the way and at the end', () => {
    const invariants = new Invariants();
    invariants.opened('a', 1);
    invariants.arrived('a', 1, 1);
    invariants.arrived('a', 1, 3);
    expect(invariants.missing({ a: 5, b: 2 })).toBe(4);
    invariants.finish({ a: 5, b: 2 });
    expect(told(invariants)).toEqual([
      'no message lost: a message 3 came after 1',
      'no message lost: a of 5 messages only 3 arrived',
      'no message lost: b of 2 messages only 0 arrived',
    ]);
  });

  it('finds a silence that is longer than its bound, and allows for stalls', () => {
    const silence: Silence = {
      ...{ client: 'a', silentFor: 11_500, detectionBound: 11_000 },
      ...{ pingTimeout: 5_000, stalls: [] },
    };
    const invariants = new Invariants();
    invariants.silent(silence);
    expect(told(invariants)).toEqual([]);
    invariants.silent({ ...silence, silentFor: 11_501 });
    expect(told(invariants)).toEqual([
      'death within its bound: a silent for 11501 ms, where 11500 are the most',
    ]);
    invariants.silent({ ...silence, silentFor: 18_250, stalls: [1_000] });
    expect(told(invariants)).toHaveLength(1);
    invariants.silent({ ...silence, silentFor: 18_251, stalls: [1_000] });
    expect(told(invariants)).toHaveLength(2);
  });
});

describe('the memory of a soak', () => {
  const MB = 1_048_576;
  const samples = (bytes: (n: number) => number): Sample[] =>
    Array.from({ length: 20 }, (_, n) => ({ at: n * 5_000, bytes: bytes(n) }));

  it('is flat where it warms up, and has peaks', () => {
    const flat = samples((n) => 30 * MB + Math.min(n, 8) * MB + (n % 6 === 5 ? 9 * MB : 0));
    expect(growth(flat)).toBe(0);
    expect(memoryViolations('server', flat)).toEqual([]);
    expect(memoryViolations('server', [])).toEqual([]);
  });

  it('is found to leak', () => {
    const leaking = samples((n) => 30 * MB + n * MB);
    expect(growth(leaking)).toBe(11 * MB);
    expect(memoryViolations('server', leaking)).toEqual([
      { invariant: 'flat memory', client: 'server', what: 'grew by 11264 kB to 50176 kB' },
    ]);
  });
});

describe('the plan of a soak', () => {
  const HOUR = 3_600_000;

  it('is the same for the same seed, and another for another', () => {
    expect(plan(7, HOUR, 80)).toEqual(plan(7, HOUR, 80));
    expect(plan(7, HOUR, 80)[0]).not.toEqual(plan(8, HOUR, 80)[0]);
  });

  it('has a fault a second, of every kind, on every way, and none after the end', () => {
    const faults = plan(1, HOUR, 80);
    expect(faults.length / 3_600).toBeCloseTo(1, 1);
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(FAULTS));
    expect(new Set(faults.map(({ way }) => way)).size).toBe(80);
    expect(Math.max(...faults.map(({ at }) => at))).toBeLessThan(HOUR);
  });
});

describe('the timeline of a soak', () => {
  it('draws connections, deaths and faults, and what they are', () => {
    const svg = drawTimeline(
      'a < b',
      [
        { at: 0, connections: 10, open: 10, serverDeaths: 0, clientDeaths: 0 },
        { at: 1_000, connections: 5, open: 0, serverDeaths: 1, clientDeaths: 3 },
      ],
      [{ at: 500, kind: 'silent cut', way: 0, lasts: 0 }],
    );
    expect(svg).toContain('<text x="90" y="18">a &lt; b</text>');
    expect(svg).toContain('<polyline class="server" points="90,30 940,145"/>');
    expect(svg).toContain('<polyline class="client" points="90,30 940,260"/>');
    expect(svg).toContain('<rect class="server-death" x="940" y="370" width="2" height="30"/>');
    expect(svg).toContain('<rect class="client-death" x="940" y="280" width="2" height="90"/>');
    expect(svg).toContain('>silent cut</text>');
    expect(svg.match(/class="fault"/g)).toHaveLength(1);
    expect(svg).not.toContain('NaN');
  });
});
