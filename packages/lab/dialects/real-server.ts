import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram, requireProgram } from '../programs/find-program.ts';
import { freePort } from '../programs/free-port.ts';
import { MS } from '../programs/time-factor.ts';

/** The servers that are packages of npm: see servers.mjs. */
const NODE_SERVERS = ['graphql', 'ka', 'trpc', 'engineIo', 'socketIo', 'aedes'] as const;
/** Environment variables with the programs of the others; `scripts/test.mjs` sets them. */
const VARIABLES = {
  nats: 'NATS_SERVER_PATH',
  cable: 'PUMA_PATH',
  rabbitmq: 'RABBITMQ_SERVER_PATH',
} as const;

export type ServerName = (typeof NODE_SERVERS)[number] | keyof typeof VARIABLES;

const START_LIMIT = 60_000 * MS; // ms: RabbitMQ takes half a minute on a busy machine
const POLL = 50; // ms between two checks
/** The programs stay here when this file is compiled. */
const lab = createRequire(import.meta.url).resolve('@wirebeat/lab/package.json');
const here = (file: string): string => join(dirname(lab), 'dialects', file);

/** Returns whether this server is missing on this machine. It must not be in CI. */
export function lacksServer(name: ServerName): boolean {
  if (!(name in VARIABLES) || process.env['CI'] === 'true') return false;
  return findProgram(VARIABLES[name as keyof typeof VARIABLES]) === undefined;
}

/** How often a server sends its heartbeat, and how long it waits for an answer, in ms. */
export interface ServerTiming {
  readonly interval: number;
  readonly timeout: number;
}

/** A real server of another protocol, in processes of its own. */
export class RealServer {
  /** The port of each protocol; most servers have one. */
  readonly ports: Readonly<Record<string, number>>;
  readonly #processes: readonly ChildProcess[];
  readonly #folder: string | undefined;

  static async start(name: ServerName, timing?: ServerTiming): Promise<RealServer> {
    if (name === 'nats') return startNats();
    if (name === 'cable') return startCable();
    if (name === 'rabbitmq') return startRabbit();
    const env = timing && { INTERVAL: String(timing.interval), TIMEOUT: String(timing.timeout) };
    const child = start(process.execPath, [here('servers.mjs'), name], env);
    const [, port] = await printed(child, /listening on (\d+)/);
    return new RealServer({ ws: Number(port) }, [child]);
  }

  constructor(
    ports: Readonly<Record<string, number>>,
    processes: readonly ChildProcess[],
    folder?: string,
  ) {
    this.ports = ports;
    this.#processes = processes;
    this.#folder = folder;
  }

  get port(): number {
    const [port] = Object.values(this.ports);
    return port as number;
  }

  /** Stops all its processes. Their kernel keeps acknowledging what they are sent. */
  stop(): void {
    this.#signal('SIGSTOP');
  }

  goOn(): void {
    this.#signal('SIGCONT');
  }

  async end(): Promise<void> {
    this.#signal('SIGKILL');
    await Promise.all(this.#processes.map((child) => child.exitCode ?? hasEnded(child)));
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #signal(signal: NodeJS.Signals): void {
    for (const child of this.#processes) signalGroup(child, signal);
  }
}

/** Starts a program in a process group of its own, so that its children are stopped with it. */
function start(path: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}): ChildProcess {
  const env = { ...process.env, ...extra };
  const child = spawn(path, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => signalGroup(child, 'SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  child.stderr?.resume();
  return child;
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has just ended.
  }
}

async function hasEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Resolves to the match of `find` in what the program prints. */
async function printed(child: ChildProcess, find: RegExp): Promise<RegExpExecArray> {
  let output = '';
  const listen = (bytes: Buffer) => {
    output += bytes;
  };
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);
  const end = performance.now() + START_LIMIT;
  for (;;) {
    const found = find.exec(output);
    if (found !== null) return found;
    const isOver = child.exitCode !== null || performance.now() > end;
    if (isOver) throw new Error(`The server has not started: ${output}`);
    await sleep(POLL);
  }
}

async function startNats(): Promise<RealServer> {
  const [tcp, port, folder] = [await freePort(), await freePort(), newFolder()];
  const config = join(folder, 'nats.conf');
  writeFileSync(
    config,
    `listen: "127.0.0.1:${tcp}"\nwebsocket { listen: "127.0.0.1:${port}", no_tls: true }\n`,
  );
  const child = start(requireProgram(VARIABLES.nats), ['-c', config]);
  await printed(child, /Server is ready/);
  return new RealServer({ ws: port }, [child], folder);
}

async function startCable(): Promise<RealServer> {
  const port = await freePort();
  const args = ['-b', `tcp://127.0.0.1:${port}`, '-t', '4:4', here('cable.ru')];
  const child = start(requireProgram(VARIABLES.cable), args);
  await printed(child, /Listening on/);
  return new RealServer({ ws: port }, [child]);
}

/** With its plugins for STOMP and MQTT over WebSockets, and a port mapper of its own. */
async function startRabbit(): Promise<RealServer> {
  const path = requireProgram(VARIABLES.rabbitmq);
  const folder = newFolder();
  const ports = { stomp: await freePort(), mqtt: await freePort() };
  const [mapper, distribution] = [await freePort(), await freePort()];
  writeFileSync(
    join(folder, 'rabbitmq.conf'),
    `listeners.tcp = none
stomp.listeners.tcp = none
mqtt.listeners.tcp = none
mqtt.allow_anonymous = true
web_stomp.tcp.ip = 127.0.0.1
web_stomp.tcp.port = ${ports.stomp}
web_mqtt.tcp.ip = 127.0.0.1
web_mqtt.tcp.port = ${ports.mqtt}
log.console = true
log.file = false
`,
  );
  writeFileSync(join(folder, 'plugins'), '[rabbitmq_web_mqtt,rabbitmq_web_stomp].');
  const epmd = findProgram('EPMD_PATH') ?? 'epmd';
  const names = start(epmd, ['-port', String(mapper), '-address', '127.0.0.1']);
  const child = start(path, [], {
    HOME: folder,
    ERL_EPMD_PORT: String(mapper),
    RABBITMQ_NODENAME: 'wirebeat@localhost',
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
  });
  try {
    await printed(child, /completed with \d+ plugins/);
  } catch (error) {
    await new RealServer(ports, [child, names], folder).end();
    throw error;
  }
  return new RealServer(ports, [child, names], folder);
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), `${dirname('wirebeat/x')}-server-`));
}
