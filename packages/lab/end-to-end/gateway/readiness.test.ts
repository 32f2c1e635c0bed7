// /readyz of `wirebeat gateway` says whether the upstream really answers.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { Program } from '../../programs/program.ts';
import { MS } from '../allowance.ts';
import { HostProcess } from '../network/host-process.ts';

const MAIN = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));
const HERE = { command: (program: string, ...args: string[]) => [program, ...args] as const };
const LIMIT = 30_000 * MS;

/** Starts a gateway before an upstream in a process of its own. */
async function start({ onTestFinished }: TestContext, settings: object = {}) {
  const upstream = new HostProcess(HERE, '../gateway/upstream.mjs', '127.0.0.1');
  onTestFinished(() => upstream.end());
  await expect.poll(() => upstream.told.length, { timeout: LIMIT }).toBeGreaterThan(0);
  const [{ port }] = upstream.told as [{ port: number }];
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  const config = join(folder, 'gateway.json');
  const content = {
    listen: '127.0.0.1:0',
    status: '127.0.0.1:0',
    upstream: `http://127.0.0.1:${port}`,
    readiness: { interval: 100, timeout: 1_000 },
    ...settings,
  };
  const configure = (changes: object) =>
    writeFileSync(config, JSON.stringify({ ...content, ...changes }));
  configure({});
  const program = new Program(process.execPath, [MAIN, 'gateway', '--config', config]);
  onTestFinished(async () => {
    await program.end();
    rmSync(folder, { recursive: true });
  });
  const { status } = JSON.parse(await program.prints(/.*"listening".*\n/)) as { status: string };
  const ask = async (path: string) => {
    const response = await fetch(status + path);
    return { status: response.status, ...((await response.json()) as object) };
  };
  let reloads = 0;
  const reload = async (changes: object) => {
    configure(changes);
    program.signal('SIGHUP');
    reloads += 1;
    const told = () => program.output.split('"reloaded"').length - 1;
    await expect.poll(told, { timeout: LIMIT }).toBe(reloads);
  };
  return { upstream, ask, status, reload };
}

describe('/readyz', () => {
  it('is 200 while the upstream answers, and 503 with the reason while it hangs', async (context) => {
    const { upstream, ask, status } = await start(context);
    const ready = { status: 200, upstream: 'ready', latencyMs: expect.any(Number) };
    await expect.poll(() => ask('/readyz'), { timeout: LIMIT }).toMatchObject(ready);
    upstream.signal('SIGSTOP'); // its kernel goes on accepting connections
    const hung = { status: 503, upstream: 'not ready', error: expect.stringMatching(/\w{3}/) };
    await expect.poll(() => ask('/readyz'), { timeout: LIMIT }).toMatchObject(hung);
    expect(await ask('/healthz')).toMatchObject({ status: 200, state: 'running' });
    const metrics = await (await fetch(`${status}/metrics`)).text();
    expect(metrics).toMatch(/^wirebeat_gateway_upstream_ready 0$/m);
    upstream.signal('SIGCONT');
    await expect.poll(() => ask('/readyz'), { timeout: LIMIT }).toMatchObject(ready);
  });

  it('keeps its result over a reload, unless the upstream is another', async (context) => {
    const readiness = { interval: 600_000, timeout: 1_000 }; // one probe
    const { upstream, ask, reload } = await start(context, { readiness });
    const ready = { status: 200, upstream: 'ready' };
    await expect.poll(() => ask('/readyz'), { timeout: LIMIT }).toMatchObject(ready);
    upstream.signal('SIGSTOP'); // another probe would find that
    await reload({ drain: 1_000 });
    expect(await ask('/readyz')).toMatchObject(ready);
    await reload({ readiness: { ...readiness, timeout: LIMIT } }); // another probe, without a result for now
    expect(await ask('/readyz')).toMatchObject(ready);
    await reload({ upstream: 'ws://127.0.0.1:1' });
    expect(await ask('/readyz')).toMatchObject({ status: 503, upstream: 'not ready' });
  });

  it('is 503 if the upstream is gone', async (context) => {
    const { upstream, ask } = await start(context);
    await upstream.end();
    const gone = { status: 503, error: expect.stringMatching(/ECONNREFUSED/) };
    await expect.poll(() => ask('/readyz'), { timeout: LIMIT }).toMatchObject(gone);
  });

  it('says nothing about the upstream if the probe is off', async (context) => {
    const { ask, status } = await start(context, { readiness: false });
    expect(await ask('/readyz')).toMatchObject({ status: 200, upstream: 'not probed' });
    const metrics = await (await fetch(`${status}/metrics`)).text();
    expect(metrics).not.toMatch(/^wirebeat_gateway_upstream_ready/m);
  });
});
