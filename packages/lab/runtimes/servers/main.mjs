// Runs the conformance suite of the server's heartbeat on every runtime, and prints one line per case. Words
// select servers by name. Fails if a case fails or a runtime could not be downloaded.
import { existsSync } from 'node:fs';
import { measureTimeFactor } from '../../../../scripts/time-factor.mjs';
import { fetchRuntimes } from '../runtimes.mjs';
import { leavesNothingAfterDetach } from './cases.mjs';
import { SERVERS } from './servers.mjs';
import { Stage } from './stage.mjs';

const AT_ONCE = 6; // the servers wait most of the time
const unit = Number(process.env.HEARTBEAT_TEST_TIME_FACTOR ?? (await measureTimeFactor()));
const wanted = process.argv.slice(2);
const chosen = SERVERS.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
let passed = 0;
let failed = 0;

const output = await fetchRuntimes();
if (output !== '') console.log(`SKIPPED: runtimes that could not be fetched\n${output}`);
const queue = [...chosen]; // the longest are first
await Promise.all(Array.from({ length: AT_ONCE }, runNext));
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function runNext() {
  for (let server = queue.shift(); server !== undefined; server = queue.shift()) {
    console.log(await run(server));
  }
}

/** Resolves to the lines of one server. */
async function run(server) {
  const lines = [`${server.name}${server.why ? ` (${server.why})` : ''}`];
  if (!existsSync(server.command)) {
    failed += 1;
    return [...lines, 'FAIL it could not be fetched'].join('\n');
  }
  const alone = server.start === undefined ? [[leavesNothingAfterDetach]] : [];
  for (const cases of [server.cases, ...alone]) {
    lines.push(...(await runCases(server, cases)));
  }
  return lines.join('\n');
}

async function runCases(server, cases) {
  const lines = [];
  let stage;
  try {
    stage = await (server.start?.(unit) ?? Stage.start(server, unit));
    for (const each of cases) {
      lines.push(line(each.name, await faultOf(stage, each)));
      await stage.tidy(server.start === undefined);
    }
  } catch (error) {
    lines.push(line('start', error.message));
  } finally {
    if (stage?.errors) lines.push(line('prints no errors', stage.errors));
    await stage?.end();
  }
  return lines;
}

async function faultOf(stage, act) {
  try {
    await act(stage);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

function line(name, fault) {
  if (fault === undefined) passed += 1;
  else failed += 1;
  const words = name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return fault === undefined ? `  ok   ${words}` : `  FAIL ${words}: ${fault}`;
}
