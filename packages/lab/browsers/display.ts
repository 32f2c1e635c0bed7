import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

const NUMBER_FD = 3; // behind the three that every program has

/** A screen that nobody sees: a browser without a headless mode needs one. */
export class Display {
  readonly #server: ChildProcess;
  /** As `DISPLAY` names it. */
  readonly name: string;

  /** The X server looks for a free number by itself, and tells it when it is ready. */
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
