// A client's heap does not grow in a day of virtual time, whatever the server answers.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { MS } from './allowance.ts';
import { censusOf, grown } from './heap-census.ts';

/** Objects of one kind. In a day each client sends 8 640 messages. */
const FEW = 30;
/** Bytes, of 51 840 messages: code that is compiled and the like. */
const LITTLE = 300_000;

async function run({ onTestFinished }: TestContext, ...options: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = ['first', 'second'].map((name) => join(folder, `${name}.heapsnapshot`));
  const script = fileURLToPath(new URL('day.mjs', import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', script, ...files, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000 * MS,
  });
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  expect(await once(child, 'close')).toEqual([0, null]);
  const [first, second] = files.map((file) => censusOf(readFileSync(file, 'utf8')));
  return { ...JSON.parse(output), objects: first && second && grown(first, second, FEW) };
}

describe('the heap after a day before a mute, a chatty and an answering server', () => {
  it('holds no more than before it', async (context) => {
    const { before, after, objects } = await run(context);
    expect(objects).toEqual([]);
    expect(after - before).toBeLessThan(LITTLE);
  });

  it('is seen to grow if each message leaves an object', async (context) => {
    const { before, after, kept, objects } = await run(context, '--leak');
    expect(kept).toBeGreaterThan(45_000);
    expect(objects).toContain('object Object');
    expect(after - before).toBeGreaterThan(LITTLE);
  });
});
