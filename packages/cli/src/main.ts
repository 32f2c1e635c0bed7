#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { HeartbeatError, InvalidOptionError } from '@wirebeat/core';
import { Command, Option } from 'commander';
import {
  count,
  header,
  origin,
  type Place,
  place,
  seconds,
  subprotocol,
  webSocketUrl,
} from './arguments.ts';
import { runDemo } from './demo-process.ts';
import { DIALECTS } from './dialect.ts';
import { ConfigError, readConfig, readFile } from './gateway-config.ts';
import { type Log, serveGateway } from './gateway-service.ts';
import { type Output, ping } from './ping.ts';
import { safeComplaint, safeJson, safeText } from './safe-text.ts';

/** The exit code of ping(8) for invalid arguments. */
const MISUSE = 2;

const isTerminal = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
const output: Output = {
  look: { bad: (text) => (isTerminal ? styleText('red', text) : text) },
  print: (line) => console.log(line),
  complain: (line) => console.error(`wirebeat: ${safeText(line)}`),
};

function main(): Promise<Command> {
  const { version, description } = readManifest();
  const program = new Command('wirebeat')
    .description(description)
    .version(version)
    .configureOutput({
      outputError: (text, write) => write(safeComplaint(text.replace(/^error/, 'wirebeat'))),
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : MISUSE));
  addPing(program);
  addGateway(program);
  addServe(program);
  return program.parseAsync();
}

function addPing(program: Command): void {
  const names = DIALECTS.map(({ dialect }) => dialect.name);
  program
    .command('ping')
    .description('Ping a WebSocket server and tell how long each pong takes.')
    .argument('<url>', 'ws:// or wss://', webSocketUrl)
    .addOption(
      new Option('--application', 'ask the application (default)').conflicts([
        'protocol',
        'dialect',
      ]),
    )
    .addOption(new Option('--protocol', 'ask its WebSocket layer').conflicts('dialect'))
    .addOption(new Option('--dialect <name>', 'ask as another protocol does').choices(names))
    .option('-c, --count <n>', 'stop after so many pings (default: on Ctrl-C)', count)
    .option('-i, --interval <seconds>', 'from one ping to the next', seconds, 1)
    .option('-W, --timeout <seconds>', 'wait for the connection, and for each pong', seconds, 10)
    .option(
      '-H, --header <header>',
      'send "Name: value" with the handshake; may be repeated',
      header,
    )
    .option('--subprotocol <name>', 'offer a subprotocol; may be repeated', subprotocol)
    .option('--json', 'print one JSON object a line; durations in ms')
    .addHelpText('after', PING_HELP)
    .action(pingAction);
}

const PING_HELP = `
A page cannot send protocol Pings, so what it can measure is the answer of the application: @wirebeat/server
gives it, or five lines of any other server. --protocol asks the layer below, which always answers.

Dialects:
${DIALECTS.map(({ dialect, of }) => `  ${dialect.name.padEnd(8)} ${of}`).join('\n')}

Examples:
  $ wirebeat ping wss://example.com/live
  $ wirebeat ping ws://127.0.0.1:8765 --protocol -c 5 -i 0.2
  $ wirebeat ping wss://example.com/graphql --dialect graphql -H "Cookie: id=1" --json

Exits with 0 if every ping was answered, 1 if one was not or the connection failed,
2 if the command line makes no sense.`;

interface PingFlags {
  readonly protocol?: true;
  readonly dialect?: string;
  readonly count?: number;
  readonly interval: number;
  readonly timeout: number;
  readonly header?: Readonly<Record<string, string>>;
  readonly subprotocol?: readonly string[];
  readonly json?: true;
}

async function pingAction(url: string, flags: PingFlags): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort()); // a second Ctrl-C ends the process at once
  const dialect = DIALECTS.find(({ dialect }) => dialect.name === flags.dialect);
  const asked = dialect?.dialect.subprotocols?.slice(0, 1) ?? [];
  const command = {
    url,
    tier: dialect ?? (flags.protocol ? 'protocol' : 'application'),
    headers: flags.header ?? {},
    subprotocols: flags.subprotocol ?? asked,
    count: flags.count ?? Number.POSITIVE_INFINITY,
    interval: flags.interval * 1000,
    timeout: flags.timeout * 1000,
    json: flags.json === true,
  } as const;
  process.exitCode = await ping(command, output, stop.signal);
}

function addGateway(program: Command): void {
  program
    .command('gateway')
    .description('Stand before a WebSocket server that knows only protocol Pings.')
    .option('--listen <place>', 'port, or host:port (default: 8080)', place)
    .option('--upstream <url>', 'the server behind', webSocketUrl)
    .option(
      '--status <place>',
      '/healthz and /metrics at a port of their own (default: beside the pages)',
      place,
    )
    .option('--no-status', 'neither /healthz nor /metrics')
    .option(
      '--config <file>',
      'JSON with the options of createGateway, and listen, status, key, cert',
    )
    .option(
      '--drain <seconds>',
      'at SIGTERM, the time over which connections are closed',
      seconds,
      10,
    )
    .addHelpText('after', GATEWAY_HELP)
    .action(gatewayAction);
}

const GATEWAY_HELP = `
Application pings of pages become protocol Pings of the server behind, and back: each end sees the other.
/healthz and /metrics (Prometheus) are on the same port, unless --status names another: whoever
reaches the pages reaches them too. The log is one JSON object a line.
SIGTERM and Ctrl-C drain; a second one ends at once.

Examples:
  $ wirebeat gateway --upstream ws://127.0.0.1:8765
  $ wirebeat gateway --listen 127.0.0.1:8080 --status 127.0.0.1:9090 --config gateway.json

Exits with 0 after a drain, 1 if it cannot listen, 2 if the command line or the file makes no sense.`;

interface GatewayFlags {
  readonly listen?: Place;
  readonly upstream?: string;
  readonly status?: Place | false;
  readonly config?: string;
  readonly drain: number;
}

const log: Log = (entry) => {
  console.log(safeJson({ time: new Date().toISOString(), ...entry }));
};

async function gatewayAction(flags: GatewayFlags): Promise<void> {
  const { listen, upstream, config, drain } = flags;
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  try {
    const { options, ...file } = config === undefined ? { options: {} } : readConfig(config);
    const address = upstream ?? options.upstream;
    if (address === undefined) {
      throw new ConfigError('Missing upstream: pass --upstream or set it in the config file');
    }
    const { key, cert } = file;
    await serveGateway(
      {
        place: listen ?? place(String(file.listen ?? 8080)),
        options: { ...options, upstream: address },
        status: flags.status ?? file.status,
        tls:
          key === undefined || cert === undefined // there are both or none
            ? undefined
            : { key: readFile(key), cert: readFile(cert) },
        within: drain * 1000,
      },
      log,
      stop.signal,
    );
    process.exit(0);
  } catch (error) {
    output.complain(sentenceOf(error as Error));
    process.exit(error instanceof ConfigError || error instanceof HeartbeatError ? MISUSE : 1);
  }
}

/**
 * Returns the message of an error without the text of an option from the config file, because it may be
 * a password or a URL with one.
 */
function sentenceOf(error: Error): string {
  if (!(error instanceof InvalidOptionError) || typeof error.value !== 'string') {
    return error.message;
  }
  return `Expected \`${error.option}\` to be ${error.expected}, got another string`;
}

interface ServeFlags {
  readonly listen: Place;
  readonly allowOrigin?: readonly string[];
}

function addServe(program: Command): void {
  program
    .command('serve')
    .description(
      'Serve a page that shows the heartbeats of your own network, and lets you hurt them.',
    )
    .addOption(
      new Option('--listen <place>', 'port, or host:port')
        .argParser(place)
        .default({ port: 8787, host: '127.0.0.1' }, '127.0.0.1:8787'),
    )
    .option(
      '--allow-origin <origin>',
      'let pages of another origin in, such as http://localhost:3000; may be repeated',
      origin,
    )
    .addHelpText(
      'after',
      `
Whoever reaches it may cut, delay and freeze it: it is for this machine, unless you name another host.
Pages of other sites are refused, unless you allow their origin.

Examples:
  $ wirebeat serve
  $ wirebeat serve --listen 0.0.0.0:8787    # and open it from your phone`,
    )
    .action(async ({ listen, allowOrigin = [] }: ServeFlags) => {
      process.exitCode = await runDemo(listen, allowOrigin);
    });
}

function readManifest(): { readonly version: string; readonly description: string } {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
}

// For `wirebeat ping … | head -1`: when the reader is gone, there is nothing left to do.
process.stdout.on('error', () => process.exit());
try {
  await main();
} catch (error) {
  output.complain(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
