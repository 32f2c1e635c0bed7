// Each flag of each command, over real sockets, on a terminal and piped. What a flag does is tested beside its command.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { attachHeartbeat } from '@wirebeat/server';
import { describe, expect, it } from 'vitest';
import { onTerminal, type Run, wirebeat } from '../../../cli/test/command-line.ts';
import { atEnd, serve, serveSecurely, temporaryFolder, urlOf } from '../../../cli/test/server.ts';
import { CERT } from '../../../server/test/gateway/certificate.ts';

/** A run that ends by itself: its arguments, where `URL` and `FILE` stand for what is started for it. */
interface Case {
  readonly args: readonly string[];
  readonly code: 0 | 1 | 2;
  /** Whether the server is behind TLS. */
  readonly isSecure?: true;
  /** Whether the server sends nothing by itself: how often it does is a finding of a search. */
  readonly isQuiet?: true;
  /** What piped output contains. */
  readonly has: RegExp;
}

const ONCE = ['-c', '1'];
const SUMMARY = /1 sent, 1 received \(0 late\), 0 unanswered/;
const NO_LIMIT = /Idle timeout: none found up to 2.0 s\./;
const DONE = /0 failures, \d warnings?\n$/;

const CASES: readonly Case[] = [
  { args: ['--version'], code: 0, has: /^\d+\.\d+\.\d+\n$/ },
  { args: ['--help'], code: 0, has: /^Usage: wirebeat/ },
  { args: ['ping', '--help'], code: 0, has: /^Usage: wirebeat ping/ },
  { args: ['doctor', '--help'], code: 0, has: /^Usage: wirebeat doctor/ },
  { args: ['gateway', '--help'], code: 0, has: /^Usage: wirebeat gateway/ },
  { args: ['serve', '--help'], code: 0, has: /^Usage: wirebeat serve/ },
  { args: ['ping', 'URL', '--application', '--count', '1'], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--protocol', ...ONCE], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--dialect', 'text', ...ONCE], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '-c', '2', '--interval', '0.01'], code: 0, has: /2 sent, 2 received/ },
  { args: ['ping', 'URL', '--deadline', '0.5', '-i', '9'], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--timeout', '30', ...ONCE], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--size', '64', ...ONCE], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--reconnect', ...ONCE], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--header', 'X-A: b', ...ONCE], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--subprotocol', 'chat', ...ONCE], code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--insecure', ...ONCE], isSecure: true, code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--cacert', 'FILE', ...ONCE], isSecure: true, code: 0, has: SUMMARY },
  { args: ['ping', 'URL', '--quiet', ...ONCE], code: 0, has: /^--- ws:\S+ ping statistics ---\n/ },
  { args: ['ping', 'URL', '--stamps', ...ONCE], code: 0, has: /^\[\d+\.\d{6}\] connected to/ },
  { args: ['ping', 'URL', '--find-idle', '2', '-W', '1'], isQuiet: true, code: 0, has: NO_LIMIT },
  { args: ['ping', 'URL', '--json', ...ONCE], code: 0, has: /^\{"type":"open".*\n\{"type":"pong"/ },
  { args: ['ping', 'ws://127.0.0.1:1/'], code: 1, has: /^wirebeat: no connection .*ECONNREFUSED/ },
  { args: ['ping', 'URL', '--count', '0'], code: 2, has: /^wirebeat: .*whole number > 0/ },
  { args: ['doctor', 'URL', '--quick', '--application'], code: 0, has: DONE },
  { args: ['doctor', 'URL', '--quick', '--protocol', '--timeout', '30'], code: 0, has: DONE },
  { args: ['doctor', 'URL', '--quick', '--dialect', 'text'], code: 0, has: DONE },
  { args: ['doctor', 'URL', '--quick', '--header', 'X-A: b'], code: 0, has: DONE },
  { args: ['doctor', 'URL', '--quick', '--subprotocol', 'chat'], code: 0, has: /chose chat/ },
  { args: ['doctor', 'URL', '--quick', '--insecure'], isSecure: true, code: 0, has: /not checked/ },
  { args: ['doctor', 'URL', '--quick', '--cacert', 'FILE'], isSecure: true, code: 0, has: DONE },
  { args: ['doctor', 'URL', '--idle', '2', '-W', '1'], isQuiet: true, code: 0, has: NO_LIMIT },
  { args: ['doctor', 'URL', '--quick', '--json'], code: 0, has: /^\{"type":"finding"/ },
  { args: ['doctor', 'ws://127.0.0.1:1/', '--quick'], code: 1, has: /^examining .*\nfailure/ },
  {
    args: ['doctor', 'URL', '--quick', '--idle', '1'],
    code: 2,
    has: /^wirebeat: .*cannot be used/,
  },
  { args: ['gateway', '--schema'], code: 0, has: /^\{\n {2}"/ },
  { args: ['gateway', '--check', '--upstream', 'URL'], code: 0, has: /^The command line is valid/ },
  { args: ['gateway', '--config', 'FILE'], code: 2, has: /^wirebeat: / },
  { args: ['gateway', '--listen', 'TAKEN', '--upstream', 'URL'], code: 1, has: /EADDRINUSE/ },
  { args: ['serve', '--allow-origin', 'here'], code: 2, has: /^wirebeat: .*must be an origin/ },
  { args: ['serve', '--listen', 'TAKEN'], code: 1, has: /^Port \d+ is taken/ },
];

/** Commands that run until Ctrl-C, the line at which it is pressed, and their exit code after it. */
const GATEWAY = ['gateway', '--listen', '127.0.0.1:0', '--upstream', 'URL', '--drain', '0.1'];
const LASTING: readonly (Case & { readonly at: RegExp })[] = [
  {
    args: [...GATEWAY, '--status', '127.0.0.1:0', '--log', 'json'],
    at: /"listening"/,
    code: 0,
    has: /^\{"time":\S+"listening".*\n.*"draining".*\n.*"closed".*\n$/,
  },
  {
    args: [...GATEWAY, '--no-status', '--log', 'pretty'],
    at: /listening/,
    code: 0,
    has: /^[\d:.]+ listening .*\n[\d:.]+ draining .*\n[\d:.]+ closed *\n$/,
  },
  {
    args: ['serve', '--listen', '127.0.0.1:0', '--allow-origin', 'http://localhost:3000'],
    at: /http:/,
    code: 0,
    has: /http:\/\/127\.0\.0\.1:\d+/,
  },
  { args: ['ping', 'URL', '-i', '60'], at: /pong/, code: 0, has: SUMMARY },
];

/** A server that answers application pings, and `ping` with `pong`. */
async function startServer({ isSecure, isQuiet }: Case): Promise<string> {
  const { server, url } = await (isSecure ? serveSecurely() : serve());
  attachHeartbeat(server, isQuiet ? { pingInterval: false } : {});
  server.on('connection', (socket) => {
    socket.on('message', (data) => String(data) === 'ping' && socket.send('pong'));
  });
  return url;
}

/** A port that something else listens on. */
async function takePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  atEnd(() => server.close());
  await once(server, 'listening');
  return new URL(urlOf(server.address())).host;
}

async function filled(each: Case): Promise<readonly string[]> {
  const { args } = each;
  const file = join(temporaryFolder(), 'authority.pem');
  writeFileSync(file, CERT);
  const values: Record<string, string> = { FILE: file };
  if (args.includes('URL')) values['URL'] = await startServer(each);
  if (args.includes('TAKEN')) values['TAKEN'] = await takePort();
  return args.map((arg) => values[arg] ?? arg);
}

/** The lines without what changes from run to run: numbers, and the order of the two outputs. */
function comparable(text: string): readonly string[] {
  const plain = stripVTControlCharacters(text)
    .replace(/("sec-websocket-accept":)"[^"]*"/, '$1"#"')
    .replace(/\d[\d.]*/g, '#');
  return plain.trimEnd().split('\n').sort();
}

/** Expects the same on a terminal as piped, apart from colours. */
function expectSame(
  { code, has }: Case,
  piped: Run,
  terminal: { readonly code: number | null; readonly shown: string },
): void {
  const { stdout, stderr } = piped;
  expect(stdout + stderr).toMatch(has);
  expect([piped.code, terminal.code]).toEqual([code, code]);
  expect(stdout + stderr).not.toContain('\u001b');
  expect(comparable(terminal.shown)).toEqual(comparable(stdout + stderr));
}

describe('every flag works piped and on a terminal', () => {
  it.each(CASES.map((each) => [each.args.join(' '), each] as const))('%s', async (_, each) => {
    const args = await filled(each);
    const [piped, terminal] = await Promise.all([wirebeat(args), onTerminal(args)]);
    expectSame(each, piped, terminal);
  });

  it.each(LASTING.map((each) => [each.args.join(' '), each] as const))(
    '%s, until Ctrl-C',
    async (_, each) => {
      const args = await filled(each);
      let isPressed = false;
      const press = (line: string, interrupt: () => void): void => {
        if (isPressed || !each.at.test(line)) return;
        isPressed = true;
        interrupt();
      };
      const piped = await wirebeat(args, press);
      isPressed = false;
      expectSame(each, piped, await onTerminal(args, {}, press));
    },
  );

  it('is a rule for all flags that --help lists', async () => {
    for (const command of ['ping', 'doctor', 'gateway', 'serve']) {
      const { stdout } = await wirebeat([command, '--help']);
      const flags = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
      const used = [...CASES, ...LASTING]
        .filter(({ args }) => args[0] === command)
        .flatMap(({ args }) => args);
      expect(flags.length).toBeGreaterThan(2);
      expect(flags.filter((flag) => !used.includes(flag ?? ''))).toEqual([]);
    }
  });
});
