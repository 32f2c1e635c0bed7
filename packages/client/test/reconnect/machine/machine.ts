// A Reconnector without sockets: facts in as words, orders out as words.
import { isFatal } from '../../../src/reconnect/close-record.ts';
import type { ReconnectorOptions } from '../../../src/reconnect/machine/options.ts';
import type { ConnectionEnd, ReconnectOrder } from '../../../src/reconnect/machine/orders.ts';
import { Reconnector } from '../../../src/reconnect/machine/reconnector.ts';

/** The defaults, with `random` in the middle: a standby is dialled 125 ms after `suspect`. */
export const OPTIONS: ReconnectorOptions = {
  connectTimeout: 10_000,
  readyTimeout: 10_000,
  hasReady: false,
  stableFor: 5_000,
  maxAge: Number.POSITIVE_INFINITY,
  pingTimeout: 20_000,
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

type Orders = readonly ReconnectOrder[];
type Fact = (machine: Reconnector, now: number, ...words: string[]) => Orders;

/** The facts, by the word that stands for each in a trace. */
const FACTS: Record<string, Fact> = {
  start: (machine, now) => machine.start(now),
  opened: (machine, now, id) => machine.opened(now, Number(id)),
  emitted: (machine, now) => machine.emitted(now),
  ready: (machine, now, id) => machine.ready(now, Number(id)),
  'not-ready': (machine, now, id) => machine.notReady(now, Number(id)),
  answered: (machine, _now, id) => machine.answered(Number(id)),
  suspect: (machine, now, id) => machine.suspect(now, Number(id), true),
  'suspect-mute': (machine, now, id) => machine.suspect(now, Number(id), false),
  recovered: (machine, _now, id) => machine.recovered(Number(id)),
  unanswered: (machine, now, id, silentFor = '20000') =>
    machine.unanswered(now, Number(id), {
      reason: 'silent',
      silentFor: Number(silentFor),
      mayAnswer: true,
    }),
  received: (machine, _now, id, bytes = '1') => machine.received(Number(id), Number(bytes)),
  dead: (machine, _now, id) => machine.dead(Number(id), 'ping-timeout'),
  failed: (machine, _now, id) => machine.failed(Number(id)),
  ended: (machine, now, id, code) =>
    machine.ended(now, Number(id), endOf(code === undefined ? undefined : Number(code))),
  close: (machine, now) => machine.close(now),
  reconnect: (machine, now) => machine.reconnect(now),
  hint: (machine, now) => machine.hint(now),
  tick: (machine, now, unsent = '0') => machine.tick(now, Number(unsent)),
};

/** Passes on a fact in words, such as `ended 1 4400`. Returns the orders. */
export function happen(machine: Reconnector, now: number, fact: string): Orders {
  const [verb = '', ...words] = fact.split(/\s+/);
  const run = FACTS[verb];
  if (run === undefined) throw new Error(`unknown fact: ${fact}`);
  return run(machine, now, ...words);
}

export function wordsOf(order: ReconnectOrder): string {
  switch (order.type) {
    case 'dial':
      return `dial ${order.id}${order.isStandby ? ' as standby' : ''}`;
    case 'close': {
      const { id, code = '', text = '' } = order;
      return `close ${id} ${code} ${text}`.trim();
    }
    case 'terminate':
      return `terminate ${order.id} (${order.text})`;
    case 'lost': {
      const { reason, code } = order.record;
      return `lost by ${reason} ${code}${order.isToClose ? ', emit close' : ''}`;
    }
    case 'retry':
      return `emit retry ${order.attempt} in ${order.delay}`;
    case 'unanswered':
      return `emit unanswered (${order.reason})`;
    case 'giveup':
      return `emit giveup after ${order.attempts}${order.isToClose ? ', emit close' : ''}`;
    case 'closed':
      return `emit close by ${order.record.reason} ${order.record.code}`;
    case 'hold':
    case 'release':
      return order.type;
    case 'open':
      return `emit open of ${order.id}`;
    default:
      return `${order.type} ${order.id}`;
  }
}

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
      return [name, JSON.parse(value)];
    }),
  );
}
