// Draws the Grafana dashboard of examples/metrics: docs/diagrams/dashboard.svg. A real Prometheus reads the metrics of
// a real gateway, whose pages and upstream have faults, and answers the queries of the dashboard. Takes three minutes.
//
//   npm run dashboard                 draws the picture
//   npm run dashboard -- --seconds 30 draws one of a shorter time
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { attachHeartbeat } from '@wirebeat/client';
import { WebSocket, WebSocketServer } from 'ws';
import { drawDashboard } from './draw.mjs';

const ROOT = new URL('../../../', import.meta.url);
const PICTURE = new URL('docs/diagrams/dashboard.svg', ROOT);
const DASHBOARD = JSON.parse(
  readFileSync(new URL('examples/metrics/dashboard.json', ROOT), 'utf8'),
);
const MAIN = fileURLToPath(new URL('packages/cli/dist/main.js', ROOT));
const RATE_INTERVAL = '15s'; // Grafana chooses four times the scrape interval, at least
const PAGES = 40;
/** What the gateway asks for, so that faults show within the time of the picture. Durations are in ms. */
const TIMING = { pingInterval: 1_000, pingTimeout: 2_000 };

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '170' } } });
const span = Number(values.seconds);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** An upstream that takes up to 20 ms for each message and Ping. */
async function startUpstream() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false });
  server.on('connection', (socket) => {
    const later = (answer) => setTimeout(answer, 20 * Math.random());
    socket.on('ping', (data) => later(() => socket.pong(data, false, () => {})));
    socket.on('error', () => {});
  });
  await once(server, 'listening');
  return server;
}

async function startGateway(folder, upstream) {
  const file = join(folder, 'gateway.json');
  const settings = {
    ...TIMING,
    listen: '127.0.0.1:0',
    status: '127.0.0.1:0',
    upstream: `ws://127.0.0.1:${upstream.address().port}`,
    upstreamHeartbeat: TIMING,
  };
  writeFileSync(file, JSON.stringify(settings));
  const child = spawn(process.execPath, [MAIN, 'gateway', '--config', file]);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  while (!output.includes('\n')) await once(child.stdout, 'data');
  return { child, ...JSON.parse(output.split('\n')[0]) };
}

async function startPrometheus(folder, target) {
  const port = await freePort();
  const config = `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: gateway
    static_configs: [{ targets: ['${new URL(target).host}'], labels: { instance: gateway } }]
`;
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const child = spawn(process.env.PROMETHEUS_PATH, [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  child.stderr.resume();
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null) throw new Error('Prometheus has ended');
    await sleep(100);
  }
  return { child, url };
}

/** A page whose socket answers no Pings from some time on if `isMute`. */
function openPage(url, isMute = false) {
  const socket = new WebSocket(url, { autoPong: false });
  socket.on('ping', (data) => {
    if (!isMute || performance.now() < mutedAt) socket.pong(data);
  });
  socket.on('error', () => {});
  const heartbeat = attachHeartbeat(socket, { pingInterval: 2_000 });
  const mutedAt = performance.now() + 8_000;
  if (isMute) setTimeout(() => heartbeat.detach(), 8_000);
  return socket;
}

/** Opens pages one by one, and causes faults, each at its share of the time. */
async function live({ child, url }) {
  const pages = [];
  const at = (share, act) => sleep(share * span * 1_000).then(act);
  const open = async () => {
    for (let count = 0; count < PAGES; count += 1) {
      pages.push(openPage(url));
      await sleep((span * 250) / PAGES);
    }
  };
  await Promise.all([
    open(),
    at(0.3, () => Array.from({ length: 8 }, () => openPage(url, true))),
    at(0.55, () => child.kill('SIGSTOP')),
    at(0.55, () => sleep(1_500)).then(() => child.kill('SIGCONT')),
    at(0.75, () => {
      for (const page of pages.splice(0, 12)) page.close();
    }),
    at(1, () => {}),
  ]);
}

/** Returns the series of one query: a name, and points with their time in seconds from `start`. */
async function query(prometheus, { expr, legendFormat }, start, end) {
  const asked = new URL('/api/v1/query_range', prometheus);
  const text = expr.replaceAll('$__rate_interval', RATE_INTERVAL);
  asked.search = new URLSearchParams({ query: text, start, end, step: '1' });
  const { status, error, data } = await (await fetch(asked)).json();
  if (status !== 'success') throw new Error(`${expr}: ${error}`);
  return data.result.map(({ metric, values: points }) => ({
    name: legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? ''),
    points: points
      .map(([at, value]) => [at - start, Number(value)])
      .filter(([, value]) => Number.isFinite(value)),
  }));
}

const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
const children = [];
const upstream = await startUpstream();
try {
  const gateway = await startGateway(folder, upstream);
  children.push(gateway.child);
  const prometheus = await startPrometheus(folder, gateway.status);
  children.push(prometheus.child);
  const start = Date.now() / 1_000;
  await live(gateway);
  const panels = [];
  for (const panel of DASHBOARD.panels) {
    const each = panel.targets.map((target) => query(prometheus.url, target, start, start + span));
    const series = (await Promise.all(each)).flat().filter(({ points }) => points.length > 0);
    if (series.length === 0) throw new Error(`The panel "${panel.title}" is empty`);
    console.log(`${panel.title}: ${series.map(({ name }) => name).join(', ')}`);
    panels.push({ ...panel, series });
  }
  const title =
    'The dashboard of a gateway: panels with open connections, latency, timeouts, ends and stalls';
  writeFileSync(PICTURE, drawDashboard(title, panels, span));
} finally {
  for (const child of children) child.kill('SIGKILL');
  upstream.close();
  for (const client of upstream.clients) client.terminate();
  await sleep(500); // Prometheus writes until it has ended
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
