import { describe, expect, it } from 'vitest';
import { blameFor, type EndFacts } from '../../src/gateway/blame.ts';
import type { Blame } from '../../src/gateway/events.ts';
import type { Side } from '../../src/gateway/tunnel/side.ts';
import type { SideFacts } from '../../src/gateway/tunnel/tunnel-side.ts';

/** A side that has just sent something and owes nothing. */
const BUSY: SideFacts = {
  silentFor: 100,
  idleFor: 50,
  survivedIdle: 1_000,
  unansweredFor: undefined,
  tcp: undefined,
};
/** A side that has not answered a ping for 20 s. */
const SILENT: SideFacts = { ...BUSY, silentFor: 30_000, unansweredFor: 20_000 };

type Reason = EndFacts['end']['reason'];

interface Given extends Partial<Omit<EndFacts, 'end' | 'sides'>> {
  readonly code?: number;
  readonly page?: Partial<SideFacts>;
  readonly upstream?: Partial<SideFacts>;
}

function blame(reason: Reason, by: Side | 'gateway', given: Given = {}): Blame {
  const { code = 1006, page, upstream, ...rest } = given;
  return blameFor({
    end: { reason, code, by },
    errorCode: undefined,
    faultSide: undefined,
    sides: { page: { ...BUSY, ...page }, upstream: { ...BUSY, ...upstream } },
    stall: undefined,
    pattern: undefined,
    ...rest,
  }).blame;
}

const MIRROR = { page: 'upstream', upstream: 'page' } as const;

describe.each(['page', 'upstream'] as const)('blameFor, for the side %s', (side) => {
  const other = MIRROR[side];
  const network = `${side}-network` as const;
  const dead = `${side}-dead` as const;

  it.each([
    ['unacknowledged', network],
    ['acknowledged', side],
    ['full', side],
    [undefined, side === 'page' ? 'page-network' : 'upstream'],
  ] as const)('blames a dead side by what TCP says: %s', (tcp, expected) => {
    expect(blame(dead, 'gateway', { [side]: { ...SILENT, tcp } })).toBe(expected);
  });

  it.each([1000, 1001, 1005, 1008, 4000])('blames it for closing with %d', (code) => {
    expect(blame('closed', side, { code })).toBe(side);
    expect(blame('closed', side, { code, [other]: SILENT })).toBe(side);
  });

  it('blames it for an end without a Close frame in the middle of traffic', () => {
    expect(blame('abnormal', side)).toBe(side);
    expect(blame('abnormal', side, { errorCode: 'ECONNRESET' })).toBe(side);
  });

  it.each([
    ['abnormal', 1006],
    ['closed', 3008],
    ['closed', 1011],
  ] as const)(
    'does not blame it for %s with %d while the other does not answer',
    (reason, code) => {
      const silent = (tcp: SideFacts['tcp']) => ({ code, [other]: { ...SILENT, tcp } });
      expect(blame(reason, side, silent('acknowledged'))).toBe(other);
      expect(blame(reason, side, silent('unacknowledged'))).toBe(`${other}-network`);
    },
  );

  it('blames it if neither side has sent anything for as long', () => {
    const facts = { ...SILENT, tcp: 'acknowledged' as const };
    expect(blame('abnormal', side, { page: facts, upstream: facts })).toBe(side);
  });

  it('blames its network for an end after a silence longer than any before', () => {
    const idle = { silentFor: 60_000, idleFor: 60_000, survivedIdle: 25_000 };
    expect(blame('abnormal', side, { [side]: idle })).toBe(network);
  });

  it.each([
    ['that it has survived before', { idleFor: 25_000, survivedIdle: 25_000 }],
    ['that no proxy limits', { idleFor: 1_500, survivedIdle: 100 }],
  ])('does not blame its network for an end after a silence %s', (_, idle) => {
    expect(blame('abnormal', side, { [side]: idle })).toBe(side);
  });

  it('blames its network if several ends look like a limit of a proxy', () => {
    const pattern = { type: 'age-limit', after: 30_000, times: 3 } as const;
    expect(blame('abnormal', side, { pattern })).toBe(network);
  });

  it.each(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN'])('blames its network for %s', (errorCode) => {
    expect(blame('abnormal', side, { errorCode })).toBe(network);
  });

  it('blames the gateway for a failure just after the gateway did not run', () => {
    const stall = { lateBy: 20_000, endedFor: 10 };
    expect(blame('abnormal', side, { stall, [other]: SILENT })).toBe('gateway');
    expect(blame('closed', side, { stall, code: 3008 })).toBe('gateway');
    expect(blame('closed', side, { stall, code: 1000 })).toBe(side);
    expect(blame('abnormal', side, { stall: { lateBy: 20_000, endedFor: 9_000 } })).toBe(side);
    expect(blame('abnormal', side, { stall: { lateBy: 200, endedFor: 10 } })).toBe(side);
  });

  it('blames it for a message that is too long', () => {
    expect(blame('too-big', 'gateway', { faultSide: side })).toBe(side);
  });
});

describe('blameFor', () => {
  it.each([
    ['unresponsive', 'page'],
    ['flood', 'page'],
    ['protocol-error', 'page'],
    ['upstream-invalid', 'upstream'],
    ['drain', 'gateway'],
    ['terminated', 'gateway'],
  ] as const)('blames for %s the %s', (reason, expected) => {
    expect(blame(reason, 'gateway')).toBe(expected);
  });

  it('gives the evidence in a sentence', () => {
    const { evidence } = blameFor({
      end: { reason: 'upstream-dead', code: 4502, by: 'gateway' },
      errorCode: undefined,
      faultSide: undefined,
      sides: { page: BUSY, upstream: { ...SILENT, tcp: 'acknowledged' } },
      stall: undefined,
      pattern: undefined,
    });
    expect(evidence).toBe(
      'upstream: it has sent nothing for 30.0 s, but TCP is acknowledged: its process does not run',
    );
  });
});
