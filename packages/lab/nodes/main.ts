// Runs a soak with several servers and one Redis, and prints its result. Ends with code 1 if an
// invariant was violated.
import { parseArgs } from 'node:util';
import { FAULTS } from './plan.ts';
import { type Invariant, type SoakResult, soak } from './soak.ts';

const MINUTE = 60_000;
const SHOWN = 10; // the first violations are enough

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '1500' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
const [nodes, minutes, clients, seed] = [
  Math.ceil(positive('nodes', values.nodes)),
  positive('minutes', values.minutes),
  Math.ceil(positive('clients', values.clients)),
  positive('seed', values.seed),
];

console.log(`soak: ${nodes} servers, ${clients} clients, ${minutes} min, --seed ${seed}`);
const log = (line: string) => console.log(`     ${line}`);
report(await soak({ seed, duration: minutes * MINUTE, clients, nodes, log }));

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new Error(`Expected --${name} to be a number > 0, got ${text}`);
}

function report(result: SoakResult): void {
  const { violations, faults } = result;
  const details: Record<Invariant, string> = {
    'one current connection': `a session, in ${result.reigns} times in which one was`,
    'each join and leave once': `of ${result.changes}, at ${result.watchers} watchers`,
    'ghosts gone': `${result.gone} users within the bound; ${result.reaped} connections reaped`,
    'nobody missing': 'at every watcher, in the end',
    'no message lost': `of ${result.messages} that arrived`,
  };
  const good = Object.entries(details).map(([what, text]) => {
    return tell(what, text, violations[what as Invariant]);
  });
  const counts = FAULTS.map((kind) => {
    return `${faults.filter((fault) => fault.kind === kind).length} × ${kind}`;
  });
  const idle = result.isolations > 0 ? [] : ['no server was isolated'];
  good.push(tell('faults in force', `${counts.join(', ')}; ${result.isolations} isolations`, idle));
  const passed = good.filter((isGood) => isGood).length;
  console.log(`${passed} passed, ${good.length - passed} failed`);
  if (passed < good.length) process.exitCode = 1;
}

function tell(what: string, details: string, wrong: readonly string[]): boolean {
  console.log(`${wrong.length === 0 ? 'ok  ' : 'FAIL'} ${what}: ${details}`);
  for (const line of wrong.slice(0, SHOWN)) console.log(`     ${line}`);
  if (wrong.length > SHOWN) console.log(`     and ${wrong.length - SHOWN} more`);
  return wrong.length === 0;
}
