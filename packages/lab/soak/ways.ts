import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import type { Program } from '@wirebeat/lab/fleet/program';
import type { Fault } from './plan.ts';

/** The added delay in ms: a minimum that grows with its duration. */
const delayOf = (lasts: number) => 200 + lasts / 8;

/**
 * The proxies between clients and server, and the processes at their ends: where faults are injected.
 */
export class Ways {
  readonly #proxies: readonly TcpProxy[];
  readonly #server: Program;
  #clients: Program | undefined;
  readonly #timers: Set<NodeJS.Timeout> = new Set();

  static async open(count: number, to: number, server: Program): Promise<Ways> {
    const proxies = Array.from({ length: count }, () => TcpProxy.listen({ to }));
    return new Ways(await Promise.all(proxies), server);
  }

  private constructor(proxies: readonly TcpProxy[], server: Program) {
    this.#proxies = proxies;
    this.#server = server;
  }

  get ports(): number[] {
    return this.#proxies.map(({ port }) => port);
  }

  /** Schedules all faults. */
  run(faults: readonly Fault[], clients: Program): void {
    this.#clients = clients;
    for (const fault of faults) this.#after(fault.at, () => this.#befall(fault));
  }

  /** Ends all current faults and cancels future ones. */
  heal(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const program of [this.#server, this.#clients]) program?.signal('SIGCONT');
    for (const proxy of this.#proxies) {
      proxy.isDeaf = false;
      proxy.delay = 0;
      proxy.resume();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  #befall({ kind, way, lasts }: Fault): void {
    const proxy = this.#proxies[way] as TcpProxy;
    const end = (act: () => void) => this.#after(lasts, act);
    switch (kind) {
      case 'silent cut':
        return proxy.cut();
      case 'cut outward':
        return proxy.cut('outward');
      case 'cut homeward':
        return proxy.cut('homeward');
      case 'FIN':
        return proxy.finish();
      case 'RST':
        return proxy.reset();
      case 'deaf':
        proxy.cut();
        proxy.isDeaf = true;
        return end(() => {
          proxy.isDeaf = false;
        });
      case 'delay':
        proxy.delay = delayOf(lasts);
        return end(() => {
          proxy.delay = 0;
        });
      case 'hold back':
        proxy.freeze();
        return end(() => proxy.resume());
      case 'stop server':
        return this.#stop(this.#server, lasts);
      case 'stop clients':
        return this.#stop(this.#clients, lasts);
      default:
        kind satisfies never;
    }
  }

  #stop(program: Program | undefined, lasts: number): void {
    program?.signal('SIGSTOP');
    this.#after(lasts, () => program?.signal('SIGCONT'));
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}
