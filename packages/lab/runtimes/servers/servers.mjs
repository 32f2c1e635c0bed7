// The servers of the conformance suite, and what each runtime cannot have.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pathOf, RUNTIMES } from '../runtimes.mjs';
import * as cases from './cases.mjs';
import * as object from './object.mjs';
import { drawPort, programBelow } from './programs.mjs';
import { Stage } from './stage.mjs';

const COMMON = [
  cases.answersPings,
  cases.pingsWithProtocolPings,
  cases.measuresBothTiers,
  cases.findsASilentCut,
  cases.findsOneWayLoss,
  cases.forgivesABlockedLoop,
  cases.forgivesAStoppedProcess,
  cases.limitsAFlood,
  cases.keepsOneConnectionOfASession,
  cases.countsInPrometheus,
  cases.drains, // the last: it takes no more connections
];

/** What a case is replaced by on a runtime, and why: docs/how-to/runtimes.md says so too. */
const DENO = {
  instead: new Map([
    [cases.pingsWithProtocolPings, cases.leavesOtherClientsAlone],
    [cases.findsOneWayLoss, cases.leavesOneWayLossToTheClient],
    [cases.limitsAFlood, cases.endsAFloodWithoutACode],
  ]),
  why: 'Deno can send no protocol Pings, and its Close frame is lost if the client keeps sending',
};

const at = (name) => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
const runtime = (name) => RUNTIMES.find((each) => each.name === name);

function server(name, on, program, { exception, extra = [] } = {}) {
  const found = runtime(on);
  const args = [...found.args.slice(0, -1), at(program)];
  const all = COMMON.map((each) => exception?.instead.get(each) ?? each);
  return { name, command: pathOf(found), args, cases: [...extra, ...all], why: exception?.why };
}

/** The examples, each with the command of its README. */
function example(name, on, args = []) {
  const path = fileURLToPath(new URL(`../../../../examples/${name}/server.mjs`, import.meta.url));
  const command = pathOf(runtime(on));
  return {
    name: `the example ${name} on ${on}`,
    command,
    start: (unit) => Stage.start({ command, args: [...args, path] }, unit),
    cases: [cases.servesBeatsAndDrains],
  };
}

/** The first program below a heading of docs/how-to/runtimes.md, on a free port. */
function fromDocs(heading, on, args) {
  const command = pathOf(runtime(on));
  return {
    name: `the docs of ${heading}`,
    command,
    start: (unit) => {
      const port = drawPort();
      const file = at(`../../build/docs-${heading}`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(
        file,
        programBelow(heading).replace('port: 8080', `hostname: '127.0.0.1', port: ${port}`),
      );
      return Stage.start({ command, args: [...args, file] }, unit, port);
    },
    cases: [cases.servesAndEchoes],
  };
}

const DENO_FLAGS = ['run', '--allow-net', '--allow-env', '--node-modules-dir=manual'];

export const SERVERS = [
  {
    name: 'Durable Object',
    command: pathOf(object.WORKERD),
    start: object.startObject,
    cases: [
      object.needsNothingOfNode,
      object.answersPingsInWorkerd,
      object.keepsOneConnectionOfASessionInWorkerd,
      object.limitsAFloodInWorkerd,
      object.countsInOpenTelemetry,
      cases.leavesOneWayLossToTheClient,
      object.sleepsWhilePagesPing,
      object.forgivesAStoppedProcessInWorkerd,
      object.drainsInWorkerd,
    ],
    why:
      'it can send no protocol Pings, so it has one latency and no `unresponsive`, and leaves one-way loss to ' +
      'its clients; the loop is that of the platform, so only its process is stopped; it has no `detach`',
  },
  server('ws on Node 20', 'Node 20', 'ws'),
  server('ws on Node 22', 'Node 22', 'ws'),
  server('ws on Node 24', 'Node 24', 'ws'),
  server('Bun', 'Bun', 'bun', { extra: [cases.findsAMuteClient] }),
  server('Deno', 'Deno', 'deno', { exception: DENO }),
  server('crossws on Node 24', 'Node 24', 'crossws'),
  server('crossws on Bun', 'Bun', 'crossws'),
  server('crossws on Deno', 'Deno', 'crossws', { exception: DENO }),
  example('bun', 'Bun'),
  example('deno', 'Deno', DENO_FLAGS),
  example('crossws', 'Node 24'),
  fromDocs('Bun', 'Bun', ['run']),
  fromDocs('Deno', 'Deno', DENO_FLAGS),
  fromDocs('crossws', 'Node 24', []),
  {
    name: 'the docs of Durable Objects',
    command: pathOf(object.WORKERD),
    start: (unit) => object.startDocs(programBelow('Durable Objects'), unit),
    cases: [cases.servesAndEchoes],
  },
  {
    name: 'the example cloudflare',
    command: pathOf(object.WORKERD),
    start: object.startExample,
    cases: [cases.servesAndEchoes],
  },
];
