// MQTT.js with a mosquitto broker over TCP. The client dials through the proxy; the subscriber does
// not.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';

/** The next port for a broker, which needs a fixed one: outside the range of ephemeral ports. */
let nextPort = 21_000;
const TRIES = 100;
const PAUSE = 50;

/** Returns nothing, with a message, if mosquitto is missing. */
export function mosquitto() {
  const asked = spawnSync('mosquitto', ['-h']);
  const [, version] = /version ([\d.]+)/.exec(String(asked.stdout)) ?? [];
  if (version === undefined) {
    console.log('SKIPPED: MQTT.js, for mosquitto is missing (Debian: mosquitto)');
    return [];
  }
  return [{ name: `MQTT.js, mosquitto ${version}`, packages: ['mqtt'], serve, dial }];
}

async function serve({ arrived = () => {} }) {
  const port = nextPort++;
  const folder = mkdtempSync(join(tmpdir(), 'compare-'));
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const child = spawn('mosquitto', ['-c', config], { stdio: 'ignore' });
  await accepting(port);
  const subscriber = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
  subscriber.on('message', (_topic, text) => arrived(String(text)));
  await subscriber.subscribeAsync('said');
  const end = () => {
    subscriber.end(true);
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  };
  return { port, end };
}

function dial(port) {
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`);
  client.on('error', () => {});
  return { send: (text) => client.publish('said', text), end: () => client.end(true) };
}

/** Resolves when the port accepts connections. */
async function accepting(port) {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const socket = connectTcp(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  throw new Error('mosquitto does not listen');
}
