import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** What the worker says when it listens. */
interface Listening {
  readonly port: number;
  readonly hasSocketIo: boolean;
}

const PAUSE = 1_000; // ms, between the end of the servers and their next start

/** The WebSocket servers, which run in a worker: it can be frozen and restarted. */
export class Servers {
  readonly #failed: (error: unknown) => void;
  #worker: Worker;
  #listening: Listening;
  #restarting: Promise<void> | undefined;

  /** `failed` is called when the worker throws. */
  static async start(failed: (error: unknown) => void): Promise<Servers> {
    const worker = startWorker(failed);
    return new Servers(worker, await isListening(worker), failed);
  }

  private constructor(worker: Worker, listening: Listening, failed: (error: unknown) => void) {
    this.#worker = worker;
    this.#listening = listening;
    this.#failed = failed;
  }

  get port(): number {
    return this.#listening.port;
  }

  /** Whether there is a server of socket.io. */
  get hasSocketIo(): boolean {
    return this.#listening.hasSocketIo;
  }

  /** Blocks the event loop of the servers for so many ms. */
  freeze(duration: number): void {
    this.#worker.postMessage({ freeze: duration });
  }

  /** Ends the servers with all connections, and starts them anew. */
  restart(): Promise<void> {
    this.#restarting ??= this.#startAnew().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  async #startAnew(): Promise<void> {
    await this.#worker.terminate();
    await sleep(PAUSE);
    this.#worker = startWorker(this.#failed);
    this.#listening = await isListening(this.#worker);
  }
}

function startWorker(failed: (error: unknown) => void): Worker {
  const worker = new Worker(new URL('socket-server.js', import.meta.url));
  worker.on('error', failed);
  return worker;
}

async function isListening(worker: Worker): Promise<Listening> {
  const [listening] = (await once(worker, 'message')) as [Listening];
  return listening;
}
