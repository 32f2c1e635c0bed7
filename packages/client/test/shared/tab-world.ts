// A SharedWorker and locks, as browsers have them, for tabs in one process.
import { vi } from 'vitest';
import type { PortLike } from '../../src/shared/port-messages.ts';
import { type OpenShared, serveTabs } from '../../src/shared/serve-tabs.ts';
import { SharedSocket } from '../../src/shared/shared-socket.ts';
import { dial, type Stage, settle } from '../stage.ts';

/** The locks of all contexts; a lock is free once the callback of its holder has settled. */
class Locks {
  readonly #tails: Map<string, Promise<unknown>> = new Map();
  /** The names of the locks that are held. */
  readonly held: Set<string> = new Set();

  request(name: string, { signal }: { signal?: AbortSignal }, callback: () => unknown) {
    const before = this.#tails.get(name) ?? Promise.resolve();
    const tail = before.then(async () => {
      if (signal?.aborted) return;
      this.held.add(name);
      await callback();
      this.held.delete(name);
    });
    this.#tails.set(name, tail);
    return tail;
  }
}

/** A context that can end at any time, which frees its locks. */
class Context {
  readonly locks: Pick<Locks, 'request'>;
  end: () => void = () => {};

  constructor(locks: Locks) {
    const ended = new Promise<void>((resolve) => {
      this.end = resolve;
    });
    this.locks = {
      request: (name, options, callback) =>
        locks.request(name, options, () => Promise.race([callback(), ended])),
    };
  }
}

interface FakeWorker {
  readonly context: Context;
  readonly serve: (port: PortLike) => void;
}

/** All tabs of one browser, with one server. */
export class TabWorld {
  readonly stages: Stage[] = [];
  readonly #locks: Locks = new Locks();
  readonly #open: OpenShared;
  readonly #pages: Map<SharedSocket, Context> = new Map();
  readonly #ports: MessagePort[] = [];
  #worker: FakeWorker | undefined;

  constructor(open?: OpenShared) {
    this.#open = open ?? (() => this.open());
    vi.stubGlobal('SharedWorker', class {});
    vi.stubGlobal('navigator', { locks: this.#locks });
  }

  /** The names of the locks that are held, by tabs and by the worker. */
  get heldLocks(): readonly string[] {
    return [...this.#locks.held];
  }

  /** Dials, as the owner of the socket does. */
  open(options: Parameters<typeof dial>[1] = {}): Stage['socket'] {
    const stage = dial('browser', options);
    this.stages.push(stage);
    return stage.socket;
  }

  get stage(): Stage {
    const stage = this.stages.at(-1);
    if (stage === undefined) throw new Error('nobody has opened a socket');
    return stage;
  }

  /** Lets time pass for the server, and messages between tabs. */
  async advance(time = 0): Promise<void> {
    await rest();
    this.stages.at(-1)?.scheduler.advance(time);
    await rest();
  }

  async tab(): Promise<{ readonly socket: SharedSocket; readonly log: string[] }> {
    const page = new Context(this.#locks);
    if (globalThis.navigator.locks) vi.stubGlobal('navigator', page);
    const socket = new SharedSocket(
      () => this.worker(),
      () => this.open(),
    );
    this.#pages.set(socket, page);
    const log: string[] = [];
    for (const name of ['open', 'close', 'error', 'retry', 'drop', 'giveup'] as const) {
      socket.addEventListener(name, () => log.push(name));
    }
    socket.addEventListener('message', ({ data }) => log.push(String(data)));
    await this.advance();
    return { socket, log };
  }

  /** Ends the page of a tab without a word. */
  async kill(socket: SharedSocket): Promise<void> {
    this.#pages.get(socket)?.end();
    await this.advance();
  }

  /** Ends the worker without a word. */
  async killWorker(): Promise<void> {
    this.#worker?.context.end();
    this.#worker = undefined;
    for (const port of this.#ports.splice(0)) port.close();
    await this.advance();
  }

  worker(): { readonly port: MessagePort; addEventListener(): void } {
    this.#worker ??= this.#startWorker();
    const { port1, port2 } = new MessageChannel();
    this.#ports.push(port1, port2);
    this.#worker.serve(port2);
    return { port: port1, addEventListener: () => {} };
  }

  end(): void {
    for (const port of this.#ports) port.close();
    vi.unstubAllGlobals();
  }

  /** Runs `serveTabs` in a scope of its own. */
  #startWorker(): FakeWorker {
    const context = new Context(this.#locks);
    let connect: (event: object) => void = () => {};
    const here = globalThis.navigator;
    vi.stubGlobal('navigator', context);
    vi.stubGlobal('addEventListener', (type: string, listener: typeof connect) => {
      if (type === 'connect') connect = listener;
    });
    serveTabs(this.#open);
    vi.stubGlobal('navigator', here);
    return { context, serve: (port) => connect({ ports: [port] }) };
  }
}

/** Lets messages between ports arrive: each takes a turn or two of the event loop. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await settle();
}
