// Two hundred connections come and go, and the heap of Node holds nothing more of ours than before.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { MS } from './allowance.ts';
import { censusOf, grown } from './heap-census.ts';

const CYCLES = 200;
const FEW = 10; // what only some of them leave is found too

/** Runs `cycles.mjs`: what it tells, and a census after each batch. */
async function run({ onTestFinished }: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = ['first', 'second', 'kept'].map((name) => join(folder, `${name}.heapsnapshot`));
  const script = fileURLToPath(new URL('cycles.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, String(CYCLES), ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000 * MS,
  });
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  expect(await once(child, 'close')).toEqual([0, null]);
  const censuses = files.map((file) => censusOf(readFileSync(file, 'utf8')));
  return { ...JSON.parse(output), censuses };
}

describe('two hundred connections of a Node process', () => {
  it('leave nothing of themselves, on neither side; what keeps them is seen', async (context) => {
    const { left, kept, censuses } = await run(context);
    const [first, second, last] = censuses;
    expect(grown(first, second, FEW)).toEqual([]);
    expect(left[1]).toEqual(left[0]);
    expect(left[1].sockets).toBe(0);
    expect(
      left[1].names.filter((name: string) => /Timeout|Immediate|TCPSocket/.test(name)),
    ).toEqual([]);
    // The control.
    expect(kept).toBe(CYCLES);
    expect(grown(second, last, CYCLES / 2)).toEqual(
      expect.arrayContaining(['object ReconnectingWebSocket', 'object SocketHeartbeat']),
    );
  });
});
