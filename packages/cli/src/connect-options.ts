import { type Command, Option } from 'commander';
import { header, pemFile, seconds, subprotocol } from './argument-parsers.ts';
import type { Target } from './connection/dial.ts';
import { DIALECTS } from './connection/dialect.ts';
import type { Tier } from './connection/prober.ts';

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
    ...(flags.cacert !== undefined && { tls: { ca: flags.cacert } }),
  };
}
