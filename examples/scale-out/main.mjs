// `npm run demo -- --nodes 3`: a Redis, several servers, and one front that carries each connection to
// another server than the last. Ends with Ctrl-C.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { PORT = '8787', REDIS_PATH = 'redis-server', NODES = '3' } = process.env;
const RESTART = 1_500; // ms until a server that has ended starts again
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const FILES = {
  '/': [at('page.html'), 'text/html; charset=utf-8'],
  '/wirebeat.js': [at('../../packages/client/dist/wirebeat.js'), 'text/javascript; charset=utf-8'],
};

const folder = mkdtempSync(join(tmpdir(), 'wirebeat-demo-'));
const children = new Set();
const nodes = [];
let turn = 0;
let isOver = false;

process.on('SIGINT', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
process.on('exit', () => {
  isOver = true;
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const redisPort = await freePort();
await startRedis();
for (let index = 0; index < Number(NODES); index += 1) {
  nodes.push({ name: `server ${index + 1}`, port: await freePort(), child: undefined });
}
await Promise.all(nodes.map(startNode));

const front = createServer((request, response) => {
  const url = new URL(request.url, 'http://host');
  if (request.method === 'POST') return void hurt(url).then((status) => answer(response, status));
  const [file, type] = FILES[url.pathname] ?? [];
  if (file === undefined) return answer(response, 404);
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(readFileSync(file));
});
front.on('upgrade', (request, socket, head) => carry(request, socket, head));
front.listen(Number(PORT), '127.0.0.1', () => {
  const { port } = front.address();
  console.log(
    `wirebeat demo with ${nodes.length} servers: http://127.0.0.1:${port} (Ctrl-C ends it)`,
  );
});

async function startRedis() {
  const args = ['--port', redisPort, '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const redis = spawn(REDIS_PATH, args.map(String), { stdio: 'ignore' });
  children.add(redis);
  redis.once('error', ({ message }) => {
    console.error(`Redis did not start: ${message}. On Debian: apt-get install redis-server`);
    process.exit(1);
  });
  while (!(await accepts(redisPort))) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function startNode(node) {
  const env = {
    ...process.env,
    PORT: String(node.port),
    NAME: node.name,
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
  };
  const child = fork(at('server.mjs'), { env });
  children.add(child);
  await once(child, 'message');
  node.child = child;
  child.once('exit', () => {
    node.child = undefined;
    children.delete(child);
    if (!isOver) setTimeout(() => startNode(node), RESTART);
  });
}

/** Carries a connection to the next server that runs. */
function carry(request, socket, head) {
  const running = nodes.filter(({ child, isDraining }) => child !== undefined && !isDraining);
  turn += 1;
  const node = running[turn % running.length];
  socket.on('error', () => {});
  if (node === undefined) return void socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
  const upstream = connect(node.port, '127.0.0.1', () => {
    const headers = [];
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      headers.push(`${request.rawHeaders[index]}: ${request.rawHeaders[index + 1]}\r\n`);
    }
    upstream.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('')}\r\n`);
    upstream.write(head);
    socket.pipe(upstream).pipe(socket);
  });
  upstream.on('error', () => socket.destroy());
  socket.on('close', () => upstream.destroy());
}

/** Drains or kills a server. Returns the HTTP status. */
async function hurt({ pathname, searchParams }) {
  const node = nodes.find(({ name }) => name === searchParams.get('node'));
  if (node?.child === undefined) return 404;
  if (pathname === '/kill') node.child.kill('SIGKILL');
  else if (pathname !== '/drain') return 404;
  else {
    node.isDraining = true;
    node.child.once('exit', () => {
      node.isDraining = false;
    });
    node.child.kill('SIGTERM');
  }
  return 204;
}

function answer(response, status) {
  response.writeHead(status).end();
}

async function freePort() {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (isOpen) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
