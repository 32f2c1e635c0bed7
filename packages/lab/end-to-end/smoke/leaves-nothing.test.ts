import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MS } from '../allowance.ts';

describe('a process whose sockets are closed and whose heartbeats are detached', () => {
  it('ends by itself, and leaves neither timers nor sockets', async () => {
    const script = fileURLToPath(new URL('leaves-nothing.mjs', import.meta.url));
    const child = spawn(process.execPath, [script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 15_000 * MS, // a timer of ours that is left lasts 25 s or longer
    });
    let output = '';
    child.stdout.on('data', (bytes) => {
      output += bytes;
    });
    expect(await once(child, 'close')).toEqual([0, null]); // by no signal
    const { peak, open, left, atExit, resources } = JSON.parse(output);
    expect(peak).toBeGreaterThan(55); // 40 clients, 10 waits, 10 diallings; one wheel at the server
    expect(open).toBeGreaterThanOrEqual(10);
    expect(left).toBe(0);
    expect(atExit).toBe(0);
    const ofOurs = (name: string) => /Timeout|Immediate|TCP|TLS/.test(name);
    expect((resources as string[]).filter(ofOurs)).toEqual([]);
  });
});
