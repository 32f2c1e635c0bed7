// The files of examples/gateway, and what `wirebeat gateway` tells systemd, over a real datagram socket.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { wirebeat } from '../../../cli/test/command-line.ts';
import { CERT, KEY } from '../../../server/test/gateway/certificate.ts';
import { findProgram, requireProgram } from '../../programs/find-program.ts';
import { freePort } from '../../programs/free-port.ts';
import { Program } from '../../programs/program.ts';
import { MS } from '../allowance.ts';
import { isMissing } from '../proxies/idle-span.ts';

const MAIN = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));
const EXAMPLE = new URL('../../../../examples/gateway/', import.meta.url);
const RECEIVER = fileURLToPath(new URL('notify-socket.py', import.meta.url));
const LIMIT = 30_000 * MS;

function lacks(...variables: readonly string[]): boolean {
  const isCi = process.env['CI'] === 'true';
  return !isCi && variables.some((variable) => findProgram(variable) === undefined);
}

function example(file: string): string {
  return readFileSync(new URL(file, EXAMPLE), 'utf8');
}

function temporaryFolder({ onTestFinished }: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts what stands in for systemd. */
async function startReceiver(
  context: TestContext,
): Promise<{ path: string; messages: () => readonly string[] }> {
  const path = join(temporaryFolder(context), 'notify');
  const receiver = new Program(requireProgram('PYTHON_PATH'), [RECEIVER, path]);
  context.onTestFinished(() => receiver.end());
  await receiver.prints(/"listening"\n/);
  const lines = () => receiver.output.split('\n').slice(1, -1);
  return { path, messages: () => lines().map((line) => JSON.parse(line) as string) };
}

const ARGS = [
  'gateway',
  '--listen',
  '127.0.0.1:0',
  '--no-status',
  '--upstream',
  'ws://127.0.0.1:1',
];

function startGateway(
  { onTestFinished }: TestContext,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = ARGS,
): Program {
  const gateway = new Program(process.execPath, [MAIN, ...args], env);
  onTestFinished(() => gateway.end());
  return gateway;
}

describe('wirebeat gateway without a reader of its log', () => {
  it('goes on, and drains as always', async ({ onTestFinished }) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const place = await freePort();
    const args = [MAIN, 'gateway', '--listen', `127.0.0.1:${place}`, '--no-status'];
    const gateway = spawn(process.execPath, [...args, '--upstream', `ws://127.0.0.1:${port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void gateway.kill('SIGKILL'));
    await once(gateway.stdout, 'data'); // it listens
    gateway.stdout.destroy();
    for (let count = 0; count < 2; count += 1) {
      const page = new WebSocket(`ws://127.0.0.1:${place}`);
      await once(page, 'open');
      page.close();
      await once(page, 'close'); // which is logged
    }
    gateway.kill('SIGTERM');
    expect(await once(gateway, 'exit')).toEqual([0, null]);
  });
});

describe('wirebeat gateway as a service of systemd', () => {
  it.skipIf(lacks('PYTHON_PATH', 'SYSTEMD_NOTIFY_PATH'))(
    'says that it is ready, and which process is the main one after SIGUSR2',
    async (context) => {
      const { path, messages } = await startReceiver(context);
      const folder = dirname(requireProgram('SYSTEMD_NOTIFY_PATH'));
      const gateway = startGateway(context, {
        NOTIFY_SOCKET: path,
        PATH: `${folder}${delimiter}${process.env['PATH']}`,
      });
      const from = (pid: unknown) => `READY=1\nMAINPID=${pid}`;
      const states = () => messages().filter((message) => message.startsWith('READY'));
      await expect.poll(states, { timeout: LIMIT }).toEqual([from(gateway.pid)]);

      gateway.signal('SIGUSR2');
      const line = await gateway.prints(/.*"handed-over".*\n/);
      const { pid } = JSON.parse(line) as { pid: number };
      context.onTestFinished(() => void process.kill(pid, 'SIGTERM'));
      // The first process goes on to its end only when systemd knows the second.
      expect(states()).toEqual([from(gateway.pid), from(pid)]);
      expect(pid).not.toBe(gateway.pid);
      await expect.poll(() => gateway.hasEnded, { timeout: LIMIT }).toBe(true);
      process.kill(pid, 0); // throws if the second does not run
    },
  );

  it('ends with a sentence if systemd cannot be notified', async (context) => {
    const gateway = startGateway(context, { NOTIFY_SOCKET: '/no/such/socket', PATH: '' });
    expect(await gateway.exit()).toBe(1);
    expect(gateway.errors).toMatch(/^wirebeat: Cannot notify systemd with systemd-notify: .*\n$/);
  });

  it.skipIf(lacks('SYSTEMD_ANALYZE_PATH'))('has a unit file that systemd accepts', (context) => {
    const folder = temporaryFolder(context);
    const unit = join(folder, 'wirebeat-gateway.service');
    const text = example('wirebeat-gateway.service');
    expect(text).toMatch(/^Type=notify$/m);
    const start = `ExecStart=${process.execPath} ${MAIN} gateway`;
    writeFileSync(unit, text.replace(/^ExecStart=.*wirebeat gateway/m, start));
    const path = requireProgram('SYSTEMD_ANALYZE_PATH');
    const { status, stdout, stderr } = spawnSync(path, ['verify', '--man=no', unit], {
      encoding: 'utf8',
    });
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });

  it('has limits in the unit file and in the Dockerfile that fit the settings', async () => {
    const settings = JSON.parse(example('gateway.json')) as Record<string, number>;
    const unit = example('wirebeat-gateway.service');
    const of = (name: string) => Number(new RegExp(`^${name}=(\\d+)$`, 'm').exec(unit)?.[1]);
    expect(of('TimeoutStopSec') * 1_000).toBeGreaterThan(settings['drain'] ?? Number.NaN);
    expect(of('LimitNOFILE')).toBeGreaterThan(2 * (settings['maxConnections'] ?? Number.NaN));
    const [, stop] = /--stop-timeout (\d+)/.exec(example('Dockerfile')) ?? [];
    expect(Number(stop) * 1_000).toBeGreaterThan(settings['drain'] ?? Number.NaN);
    const file = fileURLToPath(new URL('gateway.json', EXAMPLE));
    const { code, stdout } = await wirebeat(['gateway', '--check', '--config', file]);
    expect(stdout).toMatch(/is valid\.$/m);
    expect(code).toBe(0);
  });
});

describe('the files of examples/metrics', () => {
  it.skipIf(lacks('PROMTOOL_PATH'))('have rules and queries that Prometheus accepts', (context) => {
    const metrics = new URL('../metrics/', EXAMPLE);
    const { panels } = JSON.parse(readFileSync(new URL('dashboard.json', metrics), 'utf8')) as {
      panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
    };
    const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(4);
    const rules = queries.map((expr, index) => ({
      record: `query${index}`,
      expr: expr.replaceAll('$__rate_interval', '1m'), // a variable of Grafana
    }));
    const file = join(temporaryFolder(context), 'queries.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const alerts = ['alerts.yml', 'gateway-alerts.yml'].map((name) =>
      fileURLToPath(new URL(name, metrics)),
    );
    const args = ['check', 'rules', '--lint-fatal', ...alerts, file];
    const { status, stderr } = spawnSync(requireProgram('PROMTOOL_PATH'), args, {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

/** Starts one of the proxies with its file from the example, in a folder of its own. */
async function startProxy(context: TestContext, name: 'nginx' | 'HAProxy', to: number) {
  const folder = temporaryFolder(context);
  const port = await freePort();
  mkdirSync(join(folder, 'tls'));
  writeFileSync(join(folder, 'tls/fullchain.pem'), CERT);
  writeFileSync(join(folder, 'tls/key.pem'), KEY);
  writeFileSync(join(folder, 'tls/all.pem'), `${CERT}\n${KEY}`);
  const isNginx = name === 'nginx';
  const text = example(isNginx ? 'nginx.conf' : 'haproxy.cfg')
    .replaceAll('/etc/ssl/example.org', join(folder, 'tls'))
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('bind :443 ssl', `bind 127.0.0.1:${port} ssl`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${to}`)
    .replace('check port 9090', 'check'); // with --status public, the status has the port of the pages
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${each};`,
  );
  const around = `daemon off; master_process off; pid nginx.pid; error_log stderr; events {}
http { access_log off; ${temporary.join(' ')} ${text} }`;
  const file = join(folder, 'proxy.conf');
  writeFileSync(file, isNginx ? around : text);
  const args = isNginx ? ['-p', folder, '-c', file, '-e', 'stderr'] : ['-db', '-f', file];
  const proxy = new Program(requireProgram(isNginx ? 'NGINX_PATH' : 'HAPROXY_PATH'), args);
  context.onTestFinished(() => proxy.end());
  await proxy.listens(port);
  return { url: `wss://127.0.0.1:${port}/live`, authority: join(folder, 'tls/fullchain.pem') };
}

describe.each(['nginx', 'HAProxy'] as const)('the file for %s in front of a gateway', (name) => {
  it.skipIf(isMissing(name))('carries pings over TLS to a server behind it', async (context) => {
    const upstream = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const asked: unknown[] = [];
    upstream.on('connection', (_, { headers }) =>
      asked.push(headers['x-forwarded-for'], headers['x-forwarded-proto']),
    );
    context.onTestFinished(() => {
      for (const client of upstream.clients) client.terminate();
      upstream.close();
    });
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    const folder = temporaryFolder(context);
    const config = join(folder, 'gateway.json');
    const settings = {
      ...JSON.parse(example('gateway.json')),
      listen: '127.0.0.1:0',
      status: 'public',
      upstream: `ws://127.0.0.1:${port}`,
    };
    writeFileSync(config, JSON.stringify(settings));
    const gateway = startGateway(context, {}, ['gateway', '--config', config]);
    const listening = JSON.parse(await gateway.prints(/.*"listening".*\n/)) as { url: string };
    const { url, authority } = await startProxy(context, name, Number(new URL(listening.url).port));
    const args = ['ping', url, '--cacert', authority, '-c', '3', '-i', '0.05', '--json'];
    const answered = async () => (await wirebeat(args)).code;
    // HAProxy sends nobody to the gateway before its first check.
    await expect.poll(answered, { timeout: LIMIT, interval: 500 }).toBe(0);
    expect(asked.slice(-2)).toEqual(['127.0.0.1, 127.0.0.1', 'https']);
  });
});
