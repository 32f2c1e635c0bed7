// Prints what each dialect adds to `attachHeartbeat` in a page, in bytes, minified and compressed by
// Brotli. Fails if one adds more than its limit. The sizes are those of .size-limit.json.
import { keep } from './run.mjs';

const BASE = 'attachHeartbeat';
const WITH = `${BASE} with `;
/** In bytes. Streams of packets or lines need a parser. */
const LIMITS = {
  text: 650,
  json: 870,
  graphql: 735,
  trpc: 670,
  engineIo: 555,
  keepAlive: 625,
  phoenix: 765,
  actionCable: 590,
  pusher: 765,
  discord: 815,
  signalR: 760,
  stomp: 1_100,
  nats: 1_260,
  mqtt: 1_460,
};

const { output } = await keep('size-limit', ['--json']);
const sizes = new Map(JSON.parse(output).map(({ name, size }) => [name, size]));
const base = sizes.get(BASE);
const rows = [...sizes]
  .filter(([name]) => name.startsWith(WITH))
  .map(([name, size]) => ({ dialect: name.slice(WITH.length), bytes: size - base }));
for (const { dialect, bytes } of rows) {
  const isOver = !(bytes <= LIMITS[dialect]);
  if (isOver) process.exitCode = 1;
  const note = isOver ? `  over its limit of ${LIMITS[dialect]} B` : '';
  console.log(`${dialect.padEnd(12)} ${String(bytes).padStart(6)} B${note}`);
}
