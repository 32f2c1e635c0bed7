import { type Command, Option } from 'commander';
import { count, seconds, webSocketUrl, wholeNumber } from '../argument-parsers.ts';
import { addConnectOptions, type ConnectFlags, targetOf } from '../connect-options.ts';
import { DIALECTS } from '../connection/dialect.ts';
import { PING_BYTES } from '../connection/prober.ts';
import { findIdle } from '../limits/find-idle.ts';
import { stopSignal, type Terminal } from '../terminal.ts';
import { ping } from './ping.ts';

/** How long `--find-idle` searches by default, in s: the idle timeouts of most proxies are 60 s. */
const FIND_IDLE_SECONDS = 130;

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

export function addPing(program: Command, terminal: Terminal): void {
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
      process.exitCode = await run(url, flags, terminal);
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

function run(url: string, flags: PingFlags, terminal: Terminal): Promise<0 | 1> {
  const target = targetOf(url, flags);
  const json = flags.json === true;
  if (flags.findIdle !== undefined) {
    const upTo = 1000 * (flags.findIdle === true ? FIND_IDLE_SECONDS : flags.findIdle);
    return findIdle({ ...target, upTo, json }, terminal, stopSignal());
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
  return ping(command, terminal, stopSignal());
}
