// What does a page pay for it in bytes? Bundled with everything inside, minified, compressed by Brotli.
import { bundleSize } from '../bundle.mjs';
import { conclude } from './conclusion.mjs';

const SUBJECTS = [
  ['wirebeat, `attachHeartbeat`', "export { attachHeartbeat } from '@wirebeat/client'"],
  ['wirebeat, `ReconnectingWebSocket`', "export { ReconnectingWebSocket } from '@wirebeat/client'"],
  ['reconnecting-websocket', "export { default } from 'reconnecting-websocket'"],
  ['partysocket', "export { WebSocket } from 'partysocket'"],
  ['websocket-heartbeat-js', "export { default } from 'websocket-heartbeat-js'"],
  ['graphql-ws', "export { createClient } from 'graphql-ws'"],
  ['socket.io-client', "export { io } from 'socket.io-client'"],
  ['MQTT.js', "export { default } from 'mqtt'"],
];

const rows = [];
for (const [name, source] of SUBJECTS) {
  rows.push({ name, ...(await bundleSize(source, import.meta.url)) });
}
const ours = rows[1].brotli;
const kilobytes = (bytes) => `${(bytes / 1_000).toFixed(1)} kB`;
conclude('size', {
  heads: ['', 'minified', 'with Brotli', '× ours'],
  rows: rows.map(({ name, minified, brotli }) => [
    name,
    kilobytes(minified),
    kilobytes(brotli),
    (brotli / ours).toFixed(2),
  ]),
  packages: SUBJECTS.slice(2).map(([name]) => (name === 'MQTT.js' ? 'mqtt' : name)),
});
