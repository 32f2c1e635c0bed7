import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { handOver } from '../../src/gateway/hand-over.ts';
import type { Entry } from '../../src/gateway/log.ts';
import type { GatewayService } from '../../src/gateway/service.ts';

const { execPath } = process;
afterEach(() => {
  process.execPath = execPath;
});

/** Hands over to a program. Returns what is logged meanwhile. */
async function handOverTo(program: string): Promise<Entry[]> {
  const main = createServer().listen(0, '127.0.0.1');
  await once(main, 'listening');
  const entries: Entry[] = [];
  process.execPath = program;
  const service = { servers: { main, status: undefined }, open: 0 } as unknown as GatewayService;
  await handOver(service, (entry) => void entries.push(entry));
  expect(main.listening).toBe(true);
  main.close();
  return entries;
}

describe('a gateway whose next process does not start', () => {
  it.each([
    ['is not there', '/nowhere/node', /ENOENT/],
    ['is no program', '/', /EACCES/],
    ['ends at once', '/bin/false', /./],
  ])('goes on if that %s', async (_, program, words) => {
    const error = expect.stringMatching(words);
    expect(await handOverTo(program)).toEqual([{ event: 'hand-over-failed', error }]);
  });

  it('goes on if that never serves, and ends it, at last by force', async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [program, pid] = [join(folder, 'program'), join(folder, 'pid')];
    writeFileSync(program, `#!/bin/sh\ntrap '' TERM\necho $$ > ${pid}\nexec sleep 600\n`);
    chmodSync(program, 0o755);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const handed = handOverTo(program);
    await vi.waitFor(() => expect(readFileSync(pid, 'utf8')).toMatch(/\n/), { timeout: 60_000 });
    await vi.advanceTimersByTimeAsync(60_000);
    const error = 'it did not serve within 60 s';
    expect(await handed).toEqual([{ event: 'hand-over-failed', error }]);
    await vi.advanceTimersByTimeAsync(60_000);
    await vi.waitFor(() =>
      expect(() => process.kill(Number(readFileSync(pid, 'utf8')), 0)).toThrow(),
    );
  });
});
