import type { Instant, Millis } from '@wirebeat/core';
import type { Diagnosis } from './diagnosis.ts';
import { inWords } from './duration-words.ts';
import { count } from './explain.ts';
import { type Fact, tell } from './fact.ts';

/** The content of a report. */
export interface Recorded {
  readonly now: Instant;
  readonly url: string;
  readonly options: object;
  readonly facts: readonly Fact[];
  readonly counts: ReadonlyMap<string, number>;
  readonly latencies: readonly Millis[];
  /** Sockets that were ended and have not closed: some classes keep a dead socket forever. */
  readonly unclosed: number;
  readonly diagnosis: Diagnosis | undefined;
}

/** The version of `docs/protocol.md`. */
const PROTOCOL = 1;

/** The options to show: numbers, choices, and whether a function was given. */
const DURATIONS = [
  'pingInterval',
  'pingTimeout',
  'maxSilence',
  'probeAfter',
  'suspectAfter',
  'connectTimeout',
  'readyTimeout',
  'stableFor',
  'maxAge',
];
const VALUES = [
  'jitter',
  'maxAttempts',
  'maxQueuedMessages',
  'maxQueuedBytes',
  'queuePolicy',
  'confirm',
  'resend',
  'makeBeforeBreak',
];

/** Writes the text of a report. The same content at the same time gives the same text. */
export function writeReport(recorded: Recorded): string {
  const { facts, now, diagnosis } = recorded;
  const ages = facts.map(({ at }) => `${inWords(now - at)} ago`);
  const width = Math.max(0, ...ages.map(({ length }) => length));
  return [
    `wirebeat, heartbeat protocol ${PROTOCOL}`,
    `Address: ${withoutSecrets(recorded.url)}`,
    `Options: ${optionsOf(recorded.options as Record<string, unknown>)}`,
    `Counted: ${countsOf(recorded)}`,
    `Latency: ${latencyOf(recorded.latencies)}`,
    `Diagnosis: ${diagnosis?.text ?? 'no pattern in how connections ended.'}`,
    '',
    `The last ${count(facts.length, 'fact')}, oldest first:`,
    ...facts.map((fact, index) => `${ages[index]?.padStart(width)}  ${tell(fact)}`),
  ].join('\n');
}

/** Returns the address without query, fragment, user and password. */
function withoutSecrets(url: string): string {
  if (url === '') return 'none yet';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function optionsOf(options: Record<string, unknown>): string {
  const durations = DURATIONS.map((name) => {
    const value = options[name] as Millis;
    return `${name} ${Number.isFinite(value) ? inWords(value) : 'off'}`;
  });
  const values = VALUES.filter((name) => options[name] !== undefined).map((name) => {
    const value = options[name];
    return `${name} ${value === Number.POSITIVE_INFINITY ? 'off' : value}`;
  });
  return [...durations, ...values].join(', ');
}

function countsOf({ counts, unclosed }: Recorded): string {
  const of = (name: string) => counts.get(name) ?? 0;
  return [
    `${count(of('dial'), 'connection')} dialled`,
    `${of('open')} opened`,
    `${of('dead')} found dead`,
    `${count(of('recovered'), 'false suspicion')}`,
    `${count(of('stall'), 'late timer')}`,
    `${count(unclosed, 'socket')} left behind and not closed yet`,
    `${count(of('pong'), 'pong')} to ${count(of('ping'), 'ping')}`,
  ].join(', ');
}

function latencyOf(latencies: readonly Millis[]): string {
  if (latencies.length === 0) return 'none was measured';
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (share: number) => inWords(sorted[Math.ceil(share * sorted.length) - 1] as Millis);
  const last = count(latencies.length, 'pong');
  return `median ${at(0.5)}, 95 % within ${at(0.95)}, longest ${at(1)} (last ${last})`;
}
