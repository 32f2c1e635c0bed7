import { HeartbeatError, InvalidOptionError } from '@wirebeat/core';
import { type Command, Option } from 'commander';
import { type Place, place, seconds, webSocketUrl } from '../arguments.ts';
import type { Output } from '../output.ts';
import { ConfigError, readConfig, readFile } from './config.ts';
import { LOG_FORMATS, type Log, type LogFormat, lineOf } from './log.ts';
import { serveGateway } from './service.ts';

/** The exit code for an invalid command line or config file. */
const MISUSE = 2;

export function addGateway(program: Command, output: Output): void {
  const command = program.command('gateway');
  const given = new Set<string>();
  for (const name of ['status', 'no-status']) command.on(`option:${name}`, () => given.add(name));
  command
    .description('Run a gateway in front of a WebSocket server that only knows protocol Pings.')
    .option('--listen <place>', 'port, or host:port (default: 8080)', place)
    .option('--upstream <url>', 'URL of the WebSocket server', webSocketUrl)
    .option(
      '--status <place>',
      'serve /healthz and /metrics on another port (default: on the same port)',
      place,
    )
    .option('--no-status', 'serve neither /healthz nor /metrics')
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
    .addOption(
      new Option('--log <format>', 'json: one object per line; pretty: for people')
        .choices(LOG_FORMATS)
        .default('json'),
    )
    .addHelpText('after', GATEWAY_HELP)
    .action((flags: GatewayFlags) => {
      if (given.size === 2) command.error('error: --status and --no-status exclude each other');
      return gatewayAction(flags, output);
    });
}

const GATEWAY_HELP = `
The gateway turns application pings of pages into protocol Pings to the server, and the other way round,
so each end can detect that the other one is dead.
/healthz and /metrics (Prometheus) are on the same port, unless --status names another: anyone who can
open the pages can read them too. The log has one JSON object per line.
SIGTERM and Ctrl-C drain the gateway; a second signal ends it at once.

Examples:
  $ wirebeat gateway --upstream ws://127.0.0.1:8765
  $ wirebeat gateway --listen 127.0.0.1:8080 --status 127.0.0.1:9090 --config gateway.json

Exits with 0 after a drain, 1 if it cannot listen, 2 if the command line or the config file is invalid.`;

interface GatewayFlags {
  readonly listen?: Place;
  readonly upstream?: string;
  readonly status?: Place | false;
  readonly config?: string;
  readonly drain: number;
  readonly log: LogFormat;
}

async function gatewayAction(flags: GatewayFlags, output: Output): Promise<void> {
  const { listen, upstream, config, drain } = flags;
  const stop = new AbortController();
  const log: Log = (entry) => output.print(lineOf(entry, flags.log, output.look, new Date()));
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
