#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { addGateway } from './gateway/command.ts';
import type { Output } from './output.ts';
import { addPing } from './ping/command.ts';
import { safeComplaint, safeText } from './safe-text.ts';
import { addServe } from './serve/command.ts';

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
  addPing(program, output);
  addGateway(program, output);
  addServe(program);
  return program.parseAsync();
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
