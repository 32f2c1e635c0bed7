import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Place, place, seconds, upstreamUrl } from '../argument-parsers.ts';
import { exitWhenWritten, MISUSE, outliveOutput, type Terminal } from '../terminal.ts';
import { planOf } from './check.ts';
import { ConfigError } from './config-error.ts';
import { configSchema } from './config-schema.ts';
import { handOver, receiveServers, reportReady } from './hand-over.ts';
import { LOG_FORMATS, type Log, lineOf } from './log.ts';
import { notifySystemd } from './notify-systemd.ts';
import { GatewayService } from './service.ts';
import { type GatewayFlags, readSettings } from './settings.ts';

interface CommandFlags extends GatewayFlags {
  readonly check?: true;
  readonly schema?: true;
}

export function addGateway(program: Command, terminal: Terminal): void {
  const command = program.command('gateway');
  const given = new Set<string>();
  for (const name of ['status', 'no-status']) command.on(`option:${name}`, () => given.add(name));
  command
    .description('Run a gateway in front of a WebSocket server that only knows protocol Pings.')
    .option('--listen <place>', 'port, or host:port (default: 8080)', place)
    .option(
      '--upstream <url>',
      'URL of the WebSocket server: ws://, wss://, http:// or https://',
      upstreamUrl,
    )
    .option(
      '--status <place>',
      'serve /healthz, /readyz and /metrics there: port, host:port, or public (default: 127.0.0.1:9090)',
      statusPlace,
    )
    .option('--no-status', 'serve none of /healthz, /readyz and /metrics')
    .option('--config <file>', 'JSON with these settings and the options of createGateway')
    .option('--check', 'check the settings, print what they do, and exit')
    .option('--schema', 'print the JSON schema of the config file, for editors, and exit')
    .option(
      '--drain <seconds>',
      'at SIGTERM, the time over which connections are closed (default: 10)',
      seconds,
    )
    .addOption(
      new Option(
        '--log <format>',
        'json: one object per line (default); pretty: for people',
      ).choices(LOG_FORMATS),
    )
    .addHelpText('after', GATEWAY_HELP)
    .action((flags: CommandFlags) => {
      if (given.size === 2) command.error('error: --status and --no-status exclude each other');
      return gatewayAction(flags, terminal);
    });
}

const GATEWAY_HELP = `
The gateway turns application pings of pages into protocol Pings to the server, and the other way round,
so each end can detect that the other one is dead.
/healthz says whether the gateway runs, /readyz whether the server answers, and /metrics is for
Prometheus. They have a port of their own, unless you pass --status public.

SIGHUP reads the config file again. SIGUSR2 starts the program anew, hands it the ports, and ends when the last
connection has ended. Neither drops a connection. SIGTERM and Ctrl-C drain; a second one ends at once.

Examples:
  $ wirebeat gateway --upstream ws://127.0.0.1:8765
  $ wirebeat gateway --listen :8080 --status 127.0.0.1:9090 --config gateway.json
  $ wirebeat gateway --config gateway.json --check

Exits with 0 after a drain, 1 if it cannot listen or cannot notify systemd, 2 if the command line or the file is invalid.`;

async function gatewayAction(flags: CommandFlags, terminal: Terminal): Promise<void> {
  if (flags.schema) return terminal.print(JSON.stringify(configSchema(), undefined, 2));
  try {
    const settings = readSettings(flags);
    if (flags.check) {
      for (const line of planOf(settings, flags.config)) terminal.print(line);
      return;
    }
    outliveOutput();
    const log: Log = (entry) =>
      terminal.print(lineOf(entry, settings.log, terminal.look, new Date()));
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
    const service = new GatewayService(settings, log);
    const handed = await receiveServers();
    const started = service.start(handed);
    // From now on: a signal that nobody handles would end the process.
    const onceStarted = (act: () => void) => () => void started.then(act, () => {});
    process.on(
      'SIGHUP',
      onceStarted(() => void reload(service, flags, log)),
    );
    let handedOver: Promise<void> = Promise.resolve(); // one after the other: two would both serve
    process.on(
      'SIGUSR2',
      onceStarted(() => {
        handedOver = handedOver.then(() => handOver(service, log));
      }),
    );
    await started;
    // Before the process that came first learns of it: once that has ended, systemd must know this one.
    await notifySystemd();
    if (handed.main !== undefined) reportReady();
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
    await service.drain();
    exitWhenWritten(0);
  } catch (error) {
    terminal.complain((error as Error).message);
    process.exit(error instanceof ConfigError ? MISUSE : 1);
  }
}

/** Reads the settings again. If they are invalid, the gateway goes on with those that it has. */
async function reload(service: GatewayService, flags: GatewayFlags, log: Log): Promise<void> {
  try {
    await service.reload(readSettings(flags));
  } catch (error) {
    log({ event: 'reload-failed', error: (error as Error).message });
  }
}

function statusPlace(text: string): Place | 'public' {
  if (text === 'public') return text;
  try {
    return place(text);
  } catch {
    throw new InvalidArgumentError('It must be a port, host:port, or public.');
  }
}
