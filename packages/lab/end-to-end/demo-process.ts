import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../examples/demo/dist/server.js', import.meta.url));

/** The demo's server as a process of its own. It must have been built: `npm run build`. */
export class DemoProcess {
  readonly #child: ChildProcess;
  /** All that it has printed. */
  output = '';
  errors = '';

  constructor(port: number | string) {
    const env = { ...process.env, PORT: String(port) };
    this.#child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (bytes) => {
      this.output += bytes;
    });
    this.#child.stderr?.on('data', (bytes) => {
      this.errors += bytes;
    });
  }

  /** Where it serves. */
  async url(): Promise<string> {
    const { stdout } = this.#child;
    while (!this.output.includes('\n')) {
      if (this.#child.exitCode !== null || stdout === null) throw new Error(this.errors);
      await Promise.race([once(stdout, 'data'), once(this.#child, 'exit')]);
    }
    return /http:\S+/.exec(this.output)?.[0] ?? '';
  }

  /** Its exit code; `null` if a signal ended it. */
  async exit(): Promise<number | null> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}
