import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MS } from './time-factor.ts';

const READY_LIMIT = 20_000 * MS; // ms, for a program to start on a busy machine
const POLL = 25; // ms between two checks

/** A program that a test has started in a separate process. */
export class Program {
  readonly #child: ChildProcess;
  /** Everything that it has printed. */
  output = '';
  errors = '';

  constructor(path: string, args: readonly string[], extra: NodeJS.ProcessEnv = {}) {
    const env = { ...process.env, ...extra };
    this.#child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (bytes) => {
      this.output += bytes;
    });
    this.#child.stderr?.on('data', (bytes) => {
      this.errors += bytes;
    });
    this.#child.once('error', ({ message }) => {
      this.errors += message;
    });
    process.once('exit', this.#kill);
    this.#child.once('close', () => process.off('exit', this.#kill));
  }

  /** Resolves when the port accepts connections. Rejects if the program ends before. */
  async listens(port: number): Promise<void> {
    const end = performance.now() + READY_LIMIT;
    while (!(await accepts(port))) {
      if (this.hasEnded || performance.now() > end) throw new Error(`No listener: ${this.errors}`);
      await sleep(POLL);
    }
  }

  /** Resolves to the match of `find` in the output. Rejects if the program ends before. */
  async prints(find: RegExp): Promise<string> {
    const end = performance.now() + READY_LIMIT;
    for (;;) {
      const [found] = find.exec(this.output) ?? [];
      if (found !== undefined) return found;
      if (this.hasEnded || performance.now() > end) throw new Error(`Unsaid: ${this.errors}`);
      await sleep(POLL);
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** Resolves to its exit code, or `null` if a signal ended it. */
  async exit(): Promise<number | null> {
    if (!this.hasEnded) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends the program, even if it is stopped. */
  async end(): Promise<void> {
    this.#kill();
    await this.exit();
  }

  readonly #kill = (): void => {
    this.#child.kill('SIGKILL');
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
