import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findProgram, requireProgram } from './find-program.ts';
import { Program } from './program.ts';

/** A fact that an upstream reports, and when, in ms since the epoch. */
export interface UpstreamFact {
  /** `pong`: its own keepalive was answered. `timeout`: it was not. */
  readonly name: 'listening' | 'open' | 'pong' | 'timeout' | 'close';
  readonly at: number;
  readonly port?: number;
}

/** Keepalive of the upstream, in whole seconds. */
export interface Keepalive {
  readonly interval: number;
  readonly timeout: number;
}

/** Environment variables with the programs that they need; `scripts/test.mjs` sets them. */
const VARIABLES = {
  'Python websockets': 'PYTHON_WEBSOCKETS_PATH',
  'gorilla/websocket': 'GO_WEBSOCKET_PATH',
} as const;

export type UpstreamName = keyof typeof VARIABLES;

export const UPSTREAMS = Object.keys(VARIABLES) as readonly UpstreamName[];

/** Returns whether this upstream is missing on this machine. It must not be in CI. */
export function lacksUpstream(name: UpstreamName): boolean {
  return findProgram(VARIABLES[name]) === undefined && process.env['CI'] !== 'true';
}

const POLL = 20; // ms between two checks
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** Debian installs Go's libraries as source in a folder of its own, so no network is needed. */
const GO = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOPROXY: 'off', GOFLAGS: '' };
const CACHE = here('../../../node_modules/.cache/go');

/** An echo server in another language that only supports protocol Pings, in a separate process. */
export class Upstream {
  readonly #program: Program;
  port = 0;

  /** Without `keepalive`, uses the defaults of the library. */
  static async start(name: UpstreamName, keepalive?: Keepalive): Promise<Upstream> {
    const path = requireProgram(VARIABLES[name]);
    const upstream =
      name === 'Python websockets' ? startPython(path, keepalive) : await startGo(path, keepalive);
    try {
      await upstream.#program.prints(/"listening".*\n/);
      upstream.port = upstream.#facts[0]?.port ?? 0;
      return upstream;
    } catch (error) {
      await upstream.end();
      throw error;
    }
  }

  constructor(program: Program) {
    this.#program = program;
  }

  /** Returns all facts of one name so far, in order. */
  told(name: UpstreamFact['name']): UpstreamFact[] {
    return this.#facts.filter((fact) => fact.name === name);
  }

  /** Resolves to the first fact of this name from now on, or since `since`. */
  async next(name: UpstreamFact['name'], limit: number, since: number = Date.now()) {
    const end = performance.now() + limit;
    for (;;) {
      const fact = this.told(name).find(({ at }) => at >= since);
      if (fact !== undefined) return fact;
      if (performance.now() > end) throw new Error(`Never: ${name}. ${this.#program.errors}`);
      await sleep(POLL);
    }
  }

  /** Stops the process. The kernel keeps acknowledging what it is sent. */
  stop(): void {
    this.#program.signal('SIGSTOP');
  }

  goOn(): void {
    this.#program.signal('SIGCONT');
  }

  end(): Promise<void> {
    return this.#program.end();
  }

  get #facts(): UpstreamFact[] {
    const lines = this.#program.output.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as UpstreamFact);
  }
}

function startPython(path: string, keepalive: Keepalive | undefined): Upstream {
  const { interval, timeout } = keepalive ?? {};
  const options = { ping_interval: interval, ping_timeout: timeout };
  return new Upstream(new Program(path, ['-B', here('echo.py'), JSON.stringify(options)]));
}

/** The keepalive of the library's examples, if no other is given. */
const GO_KEEPALIVE: Keepalive = { interval: 54, timeout: 6 };

async function startGo(path: string, keepalive = GO_KEEPALIVE): Promise<Upstream> {
  built ??= build(path);
  return new Upstream(
    new Program(await built, [`${keepalive.interval}s`, `${keepalive.timeout}s`]),
  );
}

let built: Promise<string> | undefined;

/** Builds once, because `go run` would build each time and leave its child process behind. */
async function build(path: string): Promise<string> {
  const file = `${CACHE}/wirebeat-echo`;
  const env = { ...process.env, ...GO, GOCACHE: CACHE };
  const compiler = spawn(path, ['build', '-o', file, here('echo.go')], { env, stdio: 'inherit' });
  const [code] = await once(compiler, 'exit');
  if (code !== 0) throw new Error('echo.go does not build');
  return file;
}
