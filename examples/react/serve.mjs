// Builds the page, and serves it and its socket: PORT says where, 8080 by default.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import { attachHeartbeat } from '@wirebeat/server';
import { rollup } from 'rollup';
import { WebSocketServer } from 'ws';
import { must } from '../../scripts/run.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const HTML =
  '<!doctype html><meta charset="utf-8"><title>wirebeat and React</title><div id="page"></div>';

await must('tsc', ['-b', at('.')]);
const plugins = [resolve({ browser: true }), commonjs()];
const bundle = await rollup({ input: at('build/page.js'), plugins, onwarn });
const intro = 'const process = { env: { NODE_ENV: "development" } };'; // React asks; StrictMode is on
const { output } = await bundle.generate({ format: 'es', intro });
await bundle.close();

const server = createServer((request, response) => {
  const isScript = request.url === '/page.js';
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? output[0].code : `${HTML}<script type="module" src="/page.js"></script>`);
});
const sockets = new WebSocketServer({ server });
attachHeartbeat(sockets);
sockets.on('connection', (socket) => {
  socket.on('error', () => {}); // its `close` follows
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});

/** The directive of a client component says nothing to a bundler without server components. */
function onwarn({ code, message }) {
  if (code !== 'MODULE_LEVEL_DIRECTIVE') throw new Error(message);
}
