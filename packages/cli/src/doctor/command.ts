import { type Command, Option } from 'commander';
import { seconds, webSocketUrl } from '../argument-parsers.ts';
import { addConnectOptions, type ConnectFlags, targetOf } from '../connect-options.ts';
import { stopSignal, type Terminal } from '../terminal.ts';
import { doctor } from './doctor.ts';

/** How long a silence is tried by default, in s: the idle timeouts of most proxies are 60 s. */
const IDLE_SECONDS = 65;

interface DoctorFlags extends ConnectFlags {
  readonly idle: number;
  readonly quick?: true;
}

export function addDoctor(program: Command, terminal: Terminal): void {
  addConnectOptions(
    program
      .command('doctor')
      .description('Find out why a WebSocket does not open or does not stay open.')
      .argument('<url>', 'ws:// or wss://', webSocketUrl),
  )
    .option(
      '--idle <seconds>',
      'search for idle timeouts and lifetime limits up to this time',
      seconds,
      IDLE_SECONDS,
    )
    .addOption(new Option('--quick', 'do not search for limits').conflicts('idle'))
    .option('--json', 'print one JSON object per line; durations in ms')
    .addHelpText('after', DOCTOR_HELP)
    .action(async (url: string, flags: DoctorFlags) => {
      const upTo = flags.quick === true ? undefined : flags.idle * 1000;
      const command = { ...targetOf(url, flags), upTo, json: flags.json === true };
      process.exitCode = await doctor(command, terminal, stopSignal());
    });
}

const DOCTOR_HELP = `
Checks DNS, TCP, TLS, the answer to the handshake, the subprotocol, compression, pings, proxies that collect data,
and limits on how long a connection may be idle or open. The search for limits takes a little longer than --idle.

Examples:
  $ wirebeat doctor wss://example.com/live
  $ wirebeat doctor wss://example.com/live --quick -H "Cookie: id=1"
  $ wirebeat doctor wss://example.com/graphql --dialect graphql --json

Exits with 0 if nothing fails (there may be warnings), 1 if something fails or the command is stopped before the
search for limits, 2 if the command line is invalid.`;
