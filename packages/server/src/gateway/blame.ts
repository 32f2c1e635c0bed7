import type { Instant, Millis } from '@wirebeat/core';
import type { GatewayContext } from './context.ts';
import { type EndPattern, MIN_SPREAD, SPREAD } from './end-history.ts';
import type { Blame, GatewayEnd } from './events.ts';
import { FrameError } from './frames/frame-error.ts';
import { otherOf, type Side } from './tunnel/side.ts';
import type { Tunnel } from './tunnel/tunnel.ts';
import type { SideFacts } from './tunnel/tunnel-side.ts';

/** Everything that {@link blameFor} needs. */
export interface EndFacts {
  readonly end: Pick<GatewayEnd, 'reason' | 'code' | 'by'>;
  /** The error code of the system, such as `ECONNRESET`. */
  readonly errorCode: unknown;
  /** The side that sent a frame that is invalid or too long. */
  readonly faultSide: Side | undefined;
  readonly sides: Readonly<Record<Side, SideFacts>>;
  /** The last time that the process of the gateway did not run. */
  readonly stall: { readonly lateBy: Millis; readonly endedFor: Millis } | undefined;
  readonly pattern: EndPattern | undefined;
}

/** Who is to blame for the end of a connection, and why. */
export interface Cause {
  readonly blame: Blame;
  /** The evidence in plain words. */
  readonly evidence: string;
}

/** An answer that is missing for longer is overdue, in ms. */
const OVERDUE: Millis = 1_000;
/** A shorter silence is not an idle timeout: no proxy has such a short one. */
const MIN_IDLE: Millis = 2_000;
/** A stall that ended longer ago has nothing to do with the end. */
const RECENT: Millis = 2_000;
/** Close codes for failures: internal error, restart, bad gateway, heartbeat timeout, dead upstream. */
const FAILURES: ReadonlySet<number> = new Set([1006, 1011, 1014, 3008, 4502]);
/** Errors of the system that mean lost packets or a missing route. */
const NETWORK_ERRORS: ReadonlySet<unknown> = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENETRESET',
]);

/** Collects what is known about the end of a connection, and decides whose fault it was. */
export function judgeEnd(
  end: GatewayEnd,
  openedAt: Instant,
  { page, upstream }: Tunnel['sides'],
  { endHistory, stallWatch, scheduler }: GatewayContext,
): Cause {
  const { reason, by, error } = end;
  const overdue = reason === 'page-dead' || reason === 'upstream-dead' ? 0 : OVERDUE;
  const sides = { page: page.facts(overdue), upstream: upstream.facts(overdue) };
  const at = scheduler.now();
  const pattern =
    reason === 'abnormal' && by !== 'gateway'
      ? endHistory.add(by, { ...sides[by], at, age: at - openedAt })
      : undefined;
  const errorCode = (error as { readonly code?: unknown } | undefined)?.code;
  const faultSide = error instanceof FrameError ? error.side : undefined;
  return blameFor({ end, errorCode, faultSide, sides, stall: stallWatch.last, pattern });
}

/**
 * Decides which part of the path caused the end of a connection. A side that ends a connection because
 * the other side does not answer is not to blame.
 */
export function blameFor(facts: EndFacts): Cause {
  const { reason, by } = facts.end;
  switch (reason) {
    case 'page-dead':
      return silence('page', facts);
    case 'upstream-dead':
      return silence('upstream', facts);
    case 'unresponsive':
      return cause('page', 'its browser answers, but the page does not: it is frozen or hangs');
    case 'flood':
      return cause('page', 'it sent more pings than `pingLimit` allows');
    case 'protocol-error':
      return cause('page', 'it broke the WebSocket protocol');
    case 'upstream-invalid':
      return cause('upstream', 'it broke the WebSocket protocol');
    case 'too-big':
      return cause(facts.faultSide ?? 'page', 'it sent a message longer than `maxMessageBytes`');
    case 'drain':
      return cause('gateway', 'it was drained');
    case 'terminated':
      return cause('gateway', 'the program of the gateway closed the connection');
    case 'closed':
    case 'abnormal':
      return by === 'gateway' ? cause('gateway', 'it closed the connection') : endedBy(by, facts);
  }
}

/** The side `by` ended the connection. */
function endedBy(by: Side, facts: EndFacts): Cause {
  const { end, errorCode, sides, stall, pattern } = facts;
  const isClean = end.reason === 'closed' && !FAILURES.has(end.code);
  if (isClean) return cause(by, `it closed the connection with code ${end.code}`);
  if (stall !== undefined && stall.lateBy >= OVERDUE && stall.endedFor <= RECENT) {
    return cause('gateway', `it did not run for ${inSeconds(stall.lateBy)} just before`);
  }
  const other = otherOf(by);
  const { unansweredFor = 0, silentFor } = sides[other];
  if (unansweredFor >= OVERDUE && silentFor > sides[by].silentFor) return silence(other, facts);
  if (end.reason === 'closed') {
    return cause(by, `it closed the connection with code ${end.code}`);
  }
  if (NETWORK_ERRORS.has(errorCode)) {
    return cause(networkOf(by), `the system reported ${errorCode}`);
  }
  if (pattern !== undefined) return cause(networkOf(by), patternWords(pattern));
  const { idleFor, survivedIdle } = sides[by];
  const isLonger = idleFor > survivedIdle * (1 + SPREAD) + MIN_SPREAD;
  if (idleFor >= MIN_IDLE && isLonger) {
    const words = `no Close frame came, and nothing had passed for ${inSeconds(idleFor)}, longer than ever before: it looks like the idle timeout of a proxy`;
    return cause(networkOf(by), words);
  }
  return cause(by, 'its connection ended without a Close frame: its process ended or dropped it');
}

/** A side did not answer. If its kernel acknowledges, the process is to blame; otherwise the network. */
function silence(side: Side, { sides }: EndFacts): Cause {
  const { silentFor, tcp } = sides[side];
  const words = `it has sent nothing for ${inSeconds(silentFor)}`;
  switch (tcp) {
    case 'unacknowledged':
      return cause(networkOf(side), `${words}, and TCP gets no acknowledgements: packets are lost`);
    case 'acknowledged':
      return cause(side, `${words}, but TCP is acknowledged: its process does not run`);
    case 'full':
      return cause(side, `${words}, and its receive buffer is full: its process does not read`);
    case undefined:
      // A server in the same data centre rarely loses its network; a page on a phone often does.
      return cause(side === 'page' ? 'page-network' : 'upstream', words);
  }
}

function patternWords({ type, after, times }: EndPattern): string {
  const what = type === 'idle-timeout' ? 'idle time' : 'age';
  const limit = type === 'idle-timeout' ? 'idle timeout' : 'lifetime limit';
  return `no Close frame came, ${times} times in a row at the same ${what} of ${inSeconds(after)}: it looks like the ${limit} of a proxy`;
}

const SUBJECTS: Readonly<Record<Blame, string>> = {
  page: 'page',
  'page-network': 'network to the page',
  gateway: 'gateway',
  'upstream-network': 'network to the upstream',
  upstream: 'upstream',
};

function cause(blame: Blame, words: string): Cause {
  return { blame, evidence: `${SUBJECTS[blame]}: ${words}` };
}

function networkOf(side: Side): Blame {
  return side === 'page' ? 'page-network' : 'upstream-network';
}

function inSeconds(duration: Millis): string {
  return `${(duration / 1000).toFixed(1)} s`;
}
