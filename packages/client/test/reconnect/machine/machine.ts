// A Reconnector without sockets: facts in as words, orders out as words.
import { type HeartbeatEvents, PingTimeoutError } from '@wirebeat/core';
import { isFatal } from '../../../src/reconnect/close-record.ts';
import type { ReconnectorOptions } from '../../../src/reconnect/machine/options.ts';
import type {
  ConnectionEnd,
  OrderPort,
  ReconnectOrder,
} from '../../../src/reconnect/machine/orders.ts';
import { Reconnector } from '../../../src/reconnect/machine/reconnector.ts';

/** The peer answers pings, and has answered one before. */
const memory = { speaks: true, hasAnswered: true };

/** The defaults, with `random` in the middle: a standby is dialled 125 ms after `suspect`. */
export const OPTIONS: ReconnectorOptions = {
  connectTimeout: 10_000,
  readyTimeout: 10_000,
  stableFor: 5_000,
  maxAge: Number.POSITIVE_INFINITY,
  heartbeat: { pingTimeout: 20_000, memory },
  makeBeforeBreak: true,
  maxQueuedBytes: 1_000,
  maxQueuedMessages: 10,
  maxAttempts: Number.POSITIVE_INFINITY,
  backoff: { random: () => 0.5 },
  random: () => 0.5,
  isOffline: () => false,
  isFatal,
  shouldReconnect: ({ reason }) => reason !== 'fatal',
};

/** A closed socket, as its close event describes it. */
export function endOf(code = 1006, given: Partial<ConnectionEnd> = {}): ConnectionEnd {
  return { code, text: '', wasClean: code !== 1006, ...given };
}

type Fact = (machine: Reconnector, now: number, ...words: string[]) => void;

/** The facts, by the word that stands for each in a trace. */
const FACTS: Record<string, Fact> = {
  start: (machine, now) => machine.start(now),
  opened: (machine, now, id) => machine.happened(now, Number(id), 'open'),
  emitted: (machine, now) => machine.emitted(now),
  ready: (machine, now, id) => machine.prepared(now, Number(id), true),
  'not-ready': (machine, now, id) => machine.prepared(now, Number(id), false),
  answered: (machine, now, id) => {
    machine.happened(now, Number(id), 'pong', { id: undefined, latency: 0, sampled: true });
  },
  suspect: (machine, now, id) => machine.happened(now, Number(id), 'suspect', { silentFor: 0 }),
  'suspect-mute': (machine, now, id) => {
    memory.hasAnswered = false;
    machine.happened(now, Number(id), 'suspect', { silentFor: 0 });
    memory.hasAnswered = true;
  },
  recovered: (machine, now, id) =>
    machine.happened(now, Number(id), 'alive', { latency: undefined }),
  unanswered: (machine, now, id, silentFor) => {
    memory.hasAnswered = false;
    machine.happened(now, Number(id), 'unanswered', unansweredFor(silentFor));
    memory.hasAnswered = true;
  },
  'unanswered-owed': (machine, now, id, silentFor) => {
    machine.happened(now, Number(id), 'unanswered', unansweredFor(silentFor));
  },
  received: (machine, _now, id, bytes = '1') => machine.received(Number(id), Number(bytes)),
  dead: (machine, now, id) => {
    const error = new PingTimeoutError(0, 0);
    machine.happened(now, Number(id), 'dead', { reason: 'ping-timeout', silentFor: 0, error });
  },
  failed: (machine, now, id) => machine.happened(now, Number(id), 'error', 'abnormal'),
  ended: (machine, now, id, code) => {
    const end = endOf(code === undefined ? undefined : Number(code));
    machine.happened(now, Number(id), 'end', end);
  },
  close: (machine, now) => machine.close(now),
  reconnect: (machine, now) => machine.reconnect(now),
  hint: (machine, now) => machine.hint(now),
  tick: (machine, now, unsent = '0') => machine.tick(now, Number(unsent)),
};

function unansweredFor(silentFor = '20000'): HeartbeatEvents['unanswered'] {
  return { reason: 'silent', silentFor: Number(silentFor) };
}

/** Passes on a fact in words, such as `ended 1 4400`. Returns the orders. */
export function happen(machine: Reconnector, now: number, fact: string): readonly ReconnectOrder[] {
  const [verb = '', ...words] = fact.split(/\s+/);
  const run = FACTS[verb];
  if (run === undefined) throw new Error(`unknown fact: ${fact}`);
  run(machine, now, ...words);
  return machine.takeOrders();
}

export function wordsOf([name, ...values]: ReconnectOrder): string {
  return (WORDS[name] as (...values: unknown[]) => string)(...values);
}

/** The orders as they read in a trace. */
const WORDS: { [Name in keyof OrderPort]: (...values: Parameters<OrderPort[Name]>) => string } = {
  dial: (id, isStandby) => `dial ${id}${isStandby ? ' as standby' : ''}`,
  adopt: (id) => `adopt ${id}`,
  open: (id) => `emit open of ${id}`,
  prepare: (id) => `prepare ${id}`,
  send: (id) => `send ${id}`,
  probe: (id) => `probe ${id}`,
  hold: (isHeld) => (isHeld ? 'hold' : 'release'),
  close: (id, code = Number.NaN, text = '') => `close ${id} ${code || ''} ${text}`.trim(),
  end: (id, text) => (text === undefined ? `detach ${id}` : `terminate ${id} (${text})`),
  lost: ({ reason, code }, isToClose) =>
    `lost by ${reason} ${code}${isToClose ? ', emit close' : ''}`,
  retry: ({ attempt, delay }) => `emit retry ${attempt} in ${delay}`,
  unanswered: (reason) => `emit unanswered (${reason})`,
  closed: ({ reason, code }, isToClose, attempts) =>
    attempts === undefined
      ? `emit close by ${reason} ${code}`
      : `emit giveup after ${attempts}${isToClose ? ', emit close' : ''}`,
};

/** Runs the facts of a trace and returns the whole trace as it should read. */
export function replay(trace: string): string {
  const [head = '', ...rest] = trace.split('\n\n');
  const options = head.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const machine = new Reconnector({ ...OPTIONS, ...readOptions(options.join(' ')) });
  const lines = rest.join('\n\n').split('\n');
  const replayed = lines.map((line) => (/^ *\d/.test(line) ? step(machine, line) : line));
  return [head, replayed.join('\n')].join('\n\n');
}

function step(machine: Reconnector, line: string): string {
  const [input = ''] = line.split('|');
  const [, at = '', fact = ''] = /^\s*(\d+)\s+(.*\S)\s*$/.exec(input) ?? [];
  const before = machine.phase;
  const answers = happen(machine, Number(at), fact).map(wordsOf);
  if (machine.phase !== before) answers.push(machine.phase);
  const { deadline } = machine;
  if (deadline !== Number.POSITIVE_INFINITY) answers.push(`wake ${deadline}`);
  return `${input.trimEnd().padEnd(25)} | ${answers.join(', ')}`.trimEnd();
}

/** Reads `name=value` pairs: numbers, true and false. */
function readOptions(text: string): Partial<ReconnectorOptions> {
  const pairs = text.split(/\s+/).filter((word) => word !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return name === 'hasReady' ? ['ready', () => {}] : [name, JSON.parse(value)];
    }),
  );
}
