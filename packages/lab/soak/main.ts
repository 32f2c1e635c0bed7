// Runs a soak, prints its result and draws it. Ends with code 1 if an invariant was violated.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import type { Violation } from './invariants.ts';
import { growth } from './memory-slope.ts';
import { FAULTS } from './plan.ts';
import { type SoakResult, soak } from './soak.ts';
import { drawTimeline } from './timeline.ts';

const MINUTE = 60_000;
const SHOWN = 10; // the first violations are enough

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    report: { type: 'string', default: 'artifacts/soak.svg' },
    without: { type: 'string' },
  },
});
const [duration, clients, seed] = [
  positive('minutes', values.minutes) * MINUTE,
  Math.ceil(positive('clients', values.clients)),
  positive('seed', values.seed),
];
const { without } = values;
if (without !== undefined && without !== 'session' && without !== 'resend') {
  throw new Error(`Expected --without to be session or resend, got ${without}`);
}

console.log(`soak: ${clients} clients for ${values.minutes} min, --seed ${seed}`);
const log = (line: string) => console.log(`     ${line}`);
const result = await soak({ seed, duration, clients, without, log });
mkdirSync(dirname(values.report), { recursive: true });
const title = `${clients} clients, ${values.minutes} min, seed ${seed}`;
writeFileSync(values.report, drawTimeline(title, result.moments, result.faults));
report(result);
console.log(`     drawn in ${values.report}`);

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`Expected --${name} to be a number > 0, got ${text}`);
}

function report(result: SoakResult): void {
  const { moments, messages, repeats, memory, faults } = result;
  const sum = (of: (moment: SoakResult['moments'][number]) => number) =>
    moments.reduce((total, moment) => total + of(moment), 0);
  const deaths = [sum(({ serverDeaths }) => serverDeaths), sum(({ clientDeaths }) => clientDeaths)];
  const grown = [memory.server, memory.clients].map((of) => `${Math.round(growth(of) / 1_024)} kB`);
  const counts = FAULTS.map((kind) => {
    const count = faults.filter((fault) => fault.kind === kind).length;
    return `${count} × ${kind}`;
  });
  const lines: [what: Violation['invariant'], details: string][] = [
    ['one live socket', 'a client, by its session'],
    ['death within its bound', `${deaths[0]} told by the server, ${deaths[1]} by clients`],
    ['no message lost', `of ${messages - repeats}; ${repeats} came again`],
    ['flat memory', `server ${grown[0]}, clients ${grown[1]} from the warm start to the end`],
  ];
  const good = lines.map(([what, details]) => tell(what, details, broken(result, what)));
  const isHurt = Math.max(...deaths) > 0;
  good.push(tell('faults in force', counts.join(', '), isHurt ? [] : ['nobody died of them']));
  const passed = good.filter((isGood) => isGood).length;
  console.log(`${passed} passed, ${good.length - passed} failed`);
  if (passed < good.length) process.exitCode = 1;
}

function broken({ violations }: SoakResult, invariant: Violation['invariant']): string[] {
  const of = violations.filter((violation) => violation.invariant === invariant);
  const shown = of.slice(0, SHOWN).map(({ client, what }) => `${client}: ${what}`);
  return of.length > SHOWN ? [...shown, `and ${of.length - SHOWN} more`] : shown;
}

function tell(what: string, details: string, wrong: readonly string[]): boolean {
  const isGood = wrong.length === 0;
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${what}: ${details}`);
  for (const line of wrong) console.log(`     ${line}`);
  return isGood;
}
