import { type Command, Option } from 'commander';
import { origin, type Place, place } from '../argument-parsers.ts';
import { runDemo } from './demo-process.ts';

interface ServeFlags {
  readonly listen: Place;
  readonly allowOrigin?: readonly string[];
}

export function addServe(program: Command): void {
  program
    .command('serve')
    .description(
      'Serve a page that shows heartbeats on your own network, with buttons that disturb the connection.',
    )
    .addOption(
      new Option('--listen <place>', 'port, or host:port')
        .argParser(place)
        .default({ port: 8787, host: '127.0.0.1' }, '127.0.0.1:8787'),
    )
    .option(
      '--allow-origin <origin>',
      'accept pages of another origin, such as http://localhost:3000; may be repeated',
      origin,
    )
    .addHelpText(
      'after',
      `
Anyone who can open the page can use these buttons, so it only accepts connections from this machine,
unless you name another host. Pages of other sites are refused, unless you allow their origin.

Examples:
  $ wirebeat serve
  $ wirebeat serve --listen 0.0.0.0:8787    # and open it from your phone`,
    )
    .action(async ({ listen, allowOrigin = [] }: ServeFlags) => {
      process.exitCode = await runDemo(listen, allowOrigin);
    });
}
