import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { count, header, seconds, subprotocol, webSocketUrl, wholeNumber } from '../arguments.ts';
import type { Target } from '../connection/dial.ts';
import { DIALECTS } from '../connection/dialect.ts';
import { PING_BYTES, type Tier } from '../connection/prober.ts';
import type { Output } from '../output.ts';
import { findIdle } from './find-idle.ts';
import { ping } from './ping.ts';

/** How long `--find-idle` searches by default, in s: the idle timeouts of most proxies are 60 s. */
const FIND_IDLE_SECONDS = 130;

/** The options that say how to connect. */
export interface ConnectFlags {
  readonly protocol?: true;
  readonly dialect?: string;
  readonly timeout: number;
  readonly header?: Readonly<Record<string, string>>;
  readonly subprotocol?: readonly string[];
  readonly insecure?: true;
  readonly cacert?: string;
  readonly json?: true;
}

interface PingFlags extends ConnectFlags {
  readonly count?: number;
  readonly interval: number;
  readonly deadline?: number;
  readonly size?: number;
  readonly reconnect?: true;
  readonly quiet?: true;
  readonly stamps?: true;
  readonly findIdle?: number | true;
}

/** Adds the options that say how to connect, which `ping` and `doctor` share. */
export function addConnectOptions(command: Command): Command {
  const names = DIALECTS.map(({ dialect }) => dialect.name);
  return command
    .addOption(
      new Option('--application', 'ping the application (default)').conflicts([
        'protocol',
        'dialect',
      ]),
    )
    .addOption(new Option('--protocol', 'ping the WebSocket layer').conflicts('dialect'))
    .addOption(new Option('--dialect <name>', 'ping as another protocol does').choices(names))
    .option('-W, --timeout <seconds>', 'wait for the connection, and for each pong', seconds, 10)
    .option(
      '-H, --header <header>',
      'send "Name: value" with the handshake; may be repeated',
      header,
    )
    .option('--subprotocol <name>', 'offer a subprotocol; may be repeated', subprotocol)
    .option('-k, --insecure', 'accept any certificate')
    .addOption(
      new Option('--cacert <file>', 'trust the authorities in this PEM file').argParser(pemFile),
    );
}

export function addPing(program: Command, output: Output): void {
  addConnectOptions(
    program
      .command('ping')
      .description('Ping a WebSocket server and print how long each pong takes.')
      .argument('<url>', 'ws:// or wss://', webSocketUrl),
  )
    .option('-c, --count <n>', 'stop after this many pings (default: on Ctrl-C)', count)
    .option('-i, --interval <seconds>', 'time from one ping to the next', seconds, 1)
    .option('-w, --deadline <seconds>', 'stop after this time', seconds)
    .addOption(
      new Option('-s, --size <bytes>', `size of each ping, ${PING_BYTES.min} to ${PING_BYTES.max}`)
        .argParser(wholeNumber(PING_BYTES.min, PING_BYTES.max))
        .conflicts('dialect'),
    )
    .option('-r, --reconnect', 'connect again when the connection ends')
    .option('-q, --quiet', 'print only the summary')
    .option('-D, --stamps', 'print the Unix time before each line')
    .option(
      '--find-idle [seconds]',
      `search for idle timeouts and lifetime limits up to this time (${FIND_IDLE_SECONDS})`,
      seconds,
    )
    .option('--json', 'print one JSON object per line; durations in ms')
    .addHelpText('after', PING_HELP)
    .action(async (url: string, flags: PingFlags) => {
      process.exitCode = await run(url, flags, output);
    });
}

const PING_HELP = `
A page cannot send protocol Pings. It can only measure how fast the application answers, which needs
@wirebeat/server or five lines in any other server. --protocol pings the WebSocket layer, which always answers.

Dialects:
${DIALECTS.map(({ dialect, of }) => `  ${dialect.name.padEnd(8)} ${of}`).join('\n')}

Examples:
  $ wirebeat ping wss://example.com/live
  $ wirebeat ping ws://127.0.0.1:8765 --protocol -c 5 -i 0.2
  $ wirebeat ping wss://example.com/graphql --dialect graphql -H "Cookie: id=1" --json
  $ wirebeat ping wss://example.com/live --find-idle

Exits with 0 if every ping was answered in time, 1 if one was not or a connection failed,
2 if the command line is invalid.`;

/** Returns what the options say about the connection. */
export function targetOf(url: string, flags: ConnectFlags): Target & { readonly tier: Tier } {
  const dialect = DIALECTS.find((one) => one.dialect.name === flags.dialect);
  const asked = dialect?.dialect.subprotocols?.slice(0, 1) ?? [];
  return {
    url,
    tier: dialect ?? (flags.protocol ? 'protocol' : 'application'),
    headers: flags.header ?? {},
    subprotocols: flags.subprotocol ?? asked,
    timeout: flags.timeout * 1000,
    isInsecure: flags.insecure === true,
    ...(flags.cacert !== undefined && { ca: flags.cacert }),
  };
}

/** Aborts at Ctrl-C. A second Ctrl-C ends the process at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  return stop.signal;
}

function run(url: string, flags: PingFlags, output: Output): Promise<0 | 1> {
  const target = targetOf(url, flags);
  const json = flags.json === true;
  if (flags.findIdle !== undefined) {
    const upTo = 1000 * (flags.findIdle === true ? FIND_IDLE_SECONDS : flags.findIdle);
    // Every server answers protocol Pings, and the search needs answers.
    const tier = target.tier === 'application' ? 'protocol' : target.tier;
    return findIdle({ ...target, tier, upTo, json }, output, stopSignal());
  }
  const command = {
    ...target,
    count: flags.count ?? Number.POSITIVE_INFINITY,
    interval: flags.interval * 1000,
    deadline: flags.deadline === undefined ? undefined : flags.deadline * 1000,
    size: flags.size,
    reconnects: flags.reconnect === true,
    isQuiet: flags.quiet === true,
    stamps: flags.stamps === true,
    json,
  };
  return ping(command, output, stopSignal());
}

function pemFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new InvalidArgumentError('It must be a PEM file with certificates.');
}
