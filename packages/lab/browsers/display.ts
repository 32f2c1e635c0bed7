import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

const NUMBER_FD = 3; // after the three standard file descriptors

/** A virtual screen for browsers without a headless mode. */
export class Display {
  readonly #server: ChildProcess;
  /** The value for `DISPLAY`. */
  readonly name: string;

  /** Starts an X server, which chooses a free number and reports it when ready. */
  static async open(): Promise<Display> {
    const args = ['-displayfd', `${NUMBER_FD}`, '-screen', '0', '1280x800x24', '-nolisten', 'tcp'];
    const server = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    const gone = once(server, 'exit').then(() => {
      throw new Error('Xvfb ended before it was ready');
    });
    gone.catch(() => {});
    const [number] = await Promise.race([once(server.stdio[NUMBER_FD] as Readable, 'data'), gone]);
    return new Display(server, `:${String(number).trim()}`);
  }

  private constructor(server: ChildProcess, name: string) {
    this.#server = server;
    this.name = name;
  }

  async close(): Promise<void> {
    if (this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    const ended = once(this.#server, 'exit');
    this.#server.kill();
    await ended;
  }
}
