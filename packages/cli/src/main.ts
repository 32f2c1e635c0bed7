#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { type Output, ping } from './ping.ts';

/** The exit code of ping(8) for a command line that makes no sense. */
const MISUSE = 2;
/** The longest wait that a timer keeps. */
const MAX_SECONDS = 2_147_483;

const output: Output = {
  print: (line) => console.log(line),
  complain: (line) => console.error(`wirebeat: ${line}`),
};

function main(): Promise<Command> {
  const { version, description } = readManifest();
  const program = new Command('wirebeat')
    .description(description)
    .version(version)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error/, 'wirebeat')) })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : MISUSE));
  program
    .command('ping')
    .description('Send application pings to a WebSocket server and tell how long each pong takes.')
    .argument('<url>', 'ws:// or wss://', webSocketUrl)
    .option('-c, --count <n>', 'stop after so many pings (default: on Ctrl-C)', count)
    .option('-i, --interval <seconds>', 'from one ping to the next', seconds, 1)
    .option('-W, --timeout <seconds>', 'wait for the connection, and for each pong', seconds, 10)
    .option('--json', 'print one JSON object a line; durations in ms')
    .addHelpText(
      'after',
      '\nExits with 0 if every ping was answered, 1 if one was not or the connection failed,\n' +
        '2 if the command line makes no sense.',
    )
    .action(pingAction);
  return program.parseAsync();
}

interface PingFlags {
  readonly count?: number;
  readonly interval: number;
  readonly timeout: number;
  readonly json?: true;
}

async function pingAction(url: string, flags: PingFlags): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()); // a second Ctrl-C ends at once
  const command = {
    url,
    count: flags.count ?? Number.POSITIVE_INFINITY,
    interval: flags.interval * 1000,
    timeout: flags.timeout * 1000,
    json: flags.json === true,
  };
  process.exitCode = await ping(command, output, stop.signal);
}

function readManifest(): { readonly version: string; readonly description: string } {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
}

// Arguments.

function webSocketUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWebSocket = url?.protocol === 'ws:' || url?.protocol === 'wss:';
  if (url === undefined || !isWebSocket || url.hash !== '') {
    throw new InvalidArgumentError('It must be a URL with ws:// or wss:// and without #fragment.');
  }
  return url.href;
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number > 0.');
}

function seconds(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= MAX_SECONDS) return value;
  throw new InvalidArgumentError(`It must be a number of seconds > 0 and <= ${MAX_SECONDS}.`);
}

// `wirebeat ping … | head -1`: nobody reads on, so there is nothing left to do.
process.stdout.on('error', () => process.exit());
await main();
