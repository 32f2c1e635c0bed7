#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addDoctor } from './doctor/command.ts';
import { addGateway } from './gateway/command.ts';
import { addPing } from './ping/command.ts';
import { safeComplaint } from './safe-text.ts';
import { addServe } from './serve/command.ts';
import { MISUSE, processTerminal } from './terminal.ts';

const terminal = processTerminal();

function main(): Promise<Command> {
  const { version, description } = readManifest();
  const program = new Command('wirebeat')
    .description(description)
    .version(version)
    .configureOutput({
      outputError: (text, write) => write(safeComplaint(text.replace(/^error/, 'wirebeat'))),
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : MISUSE));
  addPing(program, terminal);
  addDoctor(program, terminal);
  addGateway(program, terminal);
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
  terminal.complain(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
