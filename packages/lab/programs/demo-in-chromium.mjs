// The built demo as a process, and a Chromium to look at it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';

const SERVER = fileURLToPath(new URL('../../../examples/demo/dist/server.js', import.meta.url));

/** Starts the demo on a free port. Resolves to its address and a function that ends it. */
export async function startDemo() {
  const program = spawn(process.execPath, [SERVER], { env: { ...process.env, PORT: '0' } });
  let output = '';
  for await (const chunk of program.stdout) {
    output += chunk;
    const url = /http:\S+(?=.*\n)/.exec(output)?.[0];
    if (url !== undefined) return { url, end: () => program.kill() };
  }
  await once(program, 'exit');
  throw new Error(`The demo has not started:\n${output}`);
}

/** Starts a Chromium without a window. */
export function startChromium() {
  return puppeteer.launch({
    executablePath: process.env['CHROMIUM_PATH'] || 'chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}
