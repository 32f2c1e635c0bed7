import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireProgram } from '../programs/find-program.ts';
import { freePort } from '../programs/free-port.ts';
import { Program } from '../programs/program.ts';

/** What speaks the protocol of Redis, with the variable that names the program. */
export const SERVERS: Readonly<Record<string, string>> = {
  Redis: 'REDIS_PATH',
  Valkey: 'VALKEY_PATH',
};

/** A Redis server on loopback. It writes every change to a file, so that a restart loses nothing. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'wirebeat-redis-'));
  readonly #variable: string;
  #program: Program | undefined;

  private constructor(port: number, variable: string) {
    this.port = port;
    this.#variable = variable;
  }

  /** `variable` is one of {@link SERVERS}. */
  static async start(variable = 'REDIS_PATH'): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), variable);
    await server.start();
    return server;
  }

  /** Starts it, also again. `isPersistent`: whether it has what it had before. */
  async start({ isPersistent = true }: { readonly isPersistent?: boolean } = {}): Promise<void> {
    const options = {
      port: `${this.port}`,
      bind: '127.0.0.1',
      dir: this.#folder,
      save: '',
      appendonly: isPersistent ? 'yes' : 'no',
      appendfsync: 'no',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.#program = new Program(requireProgram(this.#variable), args);
    await this.#program.listens(this.port);
  }

  /** Stops and continues the process. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#program?.signal(name);
  }

  async stop(): Promise<void> {
    await this.#program?.end();
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
