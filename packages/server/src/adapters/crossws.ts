import { CloseCode, encodeBeat, readBeat } from '@wirebeat/core';
import { RuntimeHeartbeat } from '../runtime/runtime-heartbeat.ts';
import type { RuntimeOptions } from '../runtime/runtime-options.ts';
import type { RuntimePort } from '../runtime/runtime-port.ts';
import { checkMembers } from './check-members.ts';
import { SendWatch } from './send-watch.ts';

/** The part of a `Peer` of crossws that is used. */
export interface CrosswsPeer {
  readonly request: unknown;
  readonly bufferedAmount: number;
  readonly websocket: { readonly readyState?: number };
  send(data: unknown, options?: { compress?: boolean }): unknown;
  close(code?: number, reason?: string): void;
  terminate(): void;
  ping(data?: unknown): unknown;
}

/** The hooks of crossws that are wrapped. Others are passed on. */
export interface CrosswsHooks<Peer> {
  open?(peer: Peer): unknown;
  message?(peer: Peer, message: never): unknown;
  close?(peer: Peer, details: { code?: number; reason?: string }): unknown;
  ping?(peer: Peer, data: never): unknown;
  pong?(peer: Peer, data: never): unknown;
}

type Watch = () => SendWatch<CrosswsPeer>;

const portOver = (watch: Watch): RuntimePort<CrosswsPeer> => ({
  send: (peer, text) =>
    watch()
      .original(peer, 'send')
      .call(peer, text as never, { compress: false } as never),
  close: (peer, code, reason) => peer.close(code, reason),
  bufferedBytes: (peer) => (isOpen(peer) ? peer.bufferedAmount : 0), // uWebSockets.js throws after the end
  isOpen,
});

/** What crossws can do on Node and Bun, but not on Deno: there, `peer.terminate()` throws too. */
const portWithPings = (watch: Watch): RuntimePort<CrosswsPeer> => ({
  ...portOver(watch),
  terminate: (peer) => peer.terminate(),
  ping: (peer, payload) => peer.ping(payload),
});

/**
 * The heartbeat of a server of crossws, and so of Nitro, h3 and srvx, on Node, Bun and Deno.
 *
 * @example
 * const heartbeat = new CrosswsHeartbeat();
 * const ws = crossws({ hooks: heartbeat.hooks({ message(peer, message) {} }), idleTimeout: 0 });
 */
export class CrosswsHeartbeat<Peer extends CrosswsPeer = CrosswsPeer> extends RuntimeHeartbeat<
  Peer,
  Peer['request']
> {
  readonly #sends: SendWatch<CrosswsPeer>;

  /** @throws {InvalidOptionError} if an option is out of range or unknown. */
  constructor(options?: RuntimeOptions<Peer, Peer['request']>) {
    const watch = () => this.#sends;
    const port = 'Deno' in globalThis ? portOver(watch) : portWithPings(watch);
    super(port as RuntimePort<Peer>, options);
    this.#sends = new SendWatch(['send'], (peer) => this.sending(peer as Peer));
  }

  /**
   * Returns the hooks to pass to crossws. Yours are called with everything that is not a heartbeat.
   *
   * @throws {InvalidOptionError} if `hooks` is not an object.
   */
  hooks<Hooks extends CrosswsHooks<Peer>>(hooks: Hooks): Hooks & Required<CrosswsHooks<Peer>> {
    checkMembers('hooks', hooks, [], 'an object with hooks');
    return {
      ...hooks,
      open: (peer: Peer) => {
        this.#sends.put(peer);
        this.opened(peer, peer.request);
        return hooks.open?.(peer);
      },
      message: (peer: Peer, message: never) => {
        if (!this.message(peer, dataOf(peer, message))) return hooks.message?.(peer, message);
      },
      ping: (peer: Peer, data: never) => {
        if (!this.pinged(peer)) return hooks.ping?.(peer, data);
      },
      pong: (peer: Peer, data: never) => {
        if (!this.ponged(peer, data)) return hooks.pong?.(peer, data);
      },
      close: (peer: Peer, details: { code?: number; reason?: string }) => {
        this.closed(peer, details.code ?? CloseCode.NoStatus, details.reason ?? '');
        return hooks.close?.(peer, details);
      },
    };
  }

  override detach(): void {
    const peers = [...this.connections.keys()];
    super.detach();
    for (const peer of peers) this.#sends.takeOff(peer);
  }
}

function isOpen({ websocket }: CrosswsPeer): boolean {
  return (websocket.readyState ?? 1) === 1;
}

/**
 * On uWebSockets.js, crossws does not say whether a message was text: all have an ArrayBuffer. There, a
 * binary message with the bytes of a heartbeat is taken for one.
 */
function dataOf(peer: CrosswsPeer, message: { readonly rawData: unknown }): unknown {
  const { rawData } = message;
  if (!(rawData instanceof ArrayBuffer) || !('_uws' in peer.websocket)) return rawData;
  const beat = readBeat(new Uint8Array(rawData));
  return beat === undefined ? rawData : encodeBeat(beat);
}
