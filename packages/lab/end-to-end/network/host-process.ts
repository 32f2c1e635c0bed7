import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { TestHost } from '../../faults/test-network.ts';

/** A program beside this file that runs on a host, and talks with us by IPC. */
export class HostProcess {
  /** All that it has told, in order. */
  readonly told: unknown[] = [];
  readonly #child: ChildProcess;

  constructor(host: Pick<TestHost, 'command'>, file: string, ...args: (string | number)[]) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const [program, ...rest] = host.command(process.execPath, path, ...args.map(String));
    this.#child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('message', (message) => this.told.push(message));
  }

  send(message: object): void {
    this.#child.send(message);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}
