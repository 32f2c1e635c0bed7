// Golden traces: input left of the bar, what the machine answers right of it.

import type { HeartbeatAction } from '../src/machine/actions.ts';
import { Heartbeat } from '../src/machine/heartbeat.ts';
import { PeerMemory } from '../src/machine/peer-memory.ts';
import type { PeerState } from '../src/machine/timing.ts';
import type { HeartbeatOptions } from '../src/options.ts';

type Input = (heartbeat: Heartbeat, now: number, argument: string | undefined) => string[];

const INPUTS: Record<string, Input> = {
  open: (heartbeat, now) => quiet(heartbeat.open(now)),
  close: (heartbeat, now) => quiet(heartbeat.close(now)),
  receive: (heartbeat, now) => quiet(heartbeat.receive(now)),
  sent: (heartbeat, now) => heartbeat.sent(now).map(words),
  suspend: (heartbeat, now) => quiet(heartbeat.suspend(now)),
  resume: (heartbeat, now) => heartbeat.resume(now).map(words),
  tick: (heartbeat, now) => heartbeat.tick(now).map(words),
  'tick-paused': (heartbeat, now) => heartbeat.tick(now, true).map(words),
  buffered: (heartbeat, _now, bytes) => quiet(heartbeat.buffered(Number(bytes))),
  adopt: (heartbeat, _now, timing = '') => quiet(heartbeat.adopt(readOptions(timing))),
  state: (heartbeat, _now, state) => quiet(heartbeat.setPeerState(state as PeerState)),
  leave: (heartbeat, now) => (heartbeat.close(now, true) ? ['refused'] : []),
  ask: (heartbeat, now, id) => heartbeat.ping(now, id).map(words),
  probe: (heartbeat, now, timeout) => heartbeat.probe(now, Number(timeout)).map(words),
  ping: (heartbeat, now, id) => heartbeat.receivePing(now, id).map(words),
  pong: (heartbeat, now, id) => {
    const answer = heartbeat.receivePong(now, id);
    if (answer === undefined) return ['nobody asked'];
    return [`latency ${answer.latency}${answer.sampled ? '' : ' unsampled'}`];
  },
};

/** Whether a trace is of a peer that is remembered from one connection to the next. */
export function isRemembered(trace: string): boolean {
  return /^(?!#).*\bpeer=/m.test(trace);
}

/**
 * Runs the inputs of a trace and returns the whole trace as it should read. `machine` makes what is
 * run, a `Heartbeat` by default.
 */
export function replay(
  trace: string,
  machine = (timing: HeartbeatOptions, memory?: PeerMemory) => new Heartbeat(timing, memory),
): string {
  const [head = '', ...rest] = trace.split('\n\n');
  const options = head.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const { peer, ...timing } = readOptions(options.join(' ')) as Record<string, number | undefined>;
  const heartbeat = machine(timing, peer === undefined ? undefined : new PeerMemory());
  const lines = rest.join('\n\n').split('\n');
  const replayed = lines.map((line) => (/^ *\d/.test(line) ? step(heartbeat, line) : line));
  return [head, replayed.join('\n')].join('\n\n');
}

function step(heartbeat: Heartbeat, line: string): string {
  const [input = ''] = line.split('|');
  const [at, verb = '', argument] = input.trim().split(/\s+/);
  const before = heartbeat.status;
  const run = INPUTS[verb];
  if (run === undefined) throw new Error(`unknown input: ${line}`);
  const answers = run(heartbeat, Number(at), argument);
  if (heartbeat.status !== before) answers.push(heartbeat.status);
  const { deadline } = heartbeat;
  if (deadline !== Number.POSITIVE_INFINITY) answers.push(`wake ${deadline}`);
  return `${input.trimEnd().padEnd(23)} | ${answers.join(', ')}`.trimEnd();
}

function words(action: HeartbeatAction): string {
  switch (action.type) {
    case 'ping':
      return `send ping ${action.seq}${action.id === undefined ? '' : ` with id ${action.id}`}`;
    case 'pong':
      return `send pong${action.id === undefined ? '' : ` with id ${action.id}`}`;
    case 'stall':
      return `stall of ${action.lateBy}`;
    case 'unanswered':
      return `unanswered after ${action.silentFor}`;
    case 'timeout':
      return `${action.reason} after ${action.silentFor}`;
  }
}

function quiet(_: unknown): string[] {
  return [];
}

/** Reads `name=value` pairs, apart by spaces or commas. `peer=unknown` is read as NaN: it is there. */
function readOptions(text: string): Record<string, number | false> {
  const pairs = text.split(/[\s,]+/).filter((word) => word !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', value] = pair.split('=');
      return [name, value === 'off' ? false : Number(value)];
    }),
  );
}
