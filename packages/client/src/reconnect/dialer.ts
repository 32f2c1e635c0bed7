import type { WebSocketLike } from '@wirebeat/core';
import { readProtocols, readUrl } from '../websocket-api/address.ts';
import type { DomAbortSignal, DomUrl } from '../websocket-api/dom-types.ts';
import type { CloseRecord } from './close-record.ts';

/** What the functions that return an address receive. */
export interface Attempt {
  /** The number of attempts in a row that failed or were lost soon after; 0 at first. */
  readonly attempt: number;
  /** How the previous connection or attempt ended; undefined at first. */
  readonly lastClose: CloseRecord | undefined;
  /** Aborted if the attempt ends early, by its timeout, `close()` or `reconnect()`. */
  readonly signal: DomAbortSignal;
}

/** A value, or a function that returns it and is called at each attempt. */
type Asked<Value> = Value | ((attempt: Attempt) => Value | Promise<Value>);

/** The address of a {@link ReconnectingWebSocket}. */
export type UrlSource = Asked<string | DomUrl>;
/** The subprotocols that a {@link ReconnectingWebSocket} offers. */
export type ProtocolsSource = Asked<string | Iterable<string> | undefined>;

/** Creates a socket, which starts to connect. */
export type CreateWebSocket = (url: string, protocols?: string[]) => WebSocketLike;

/** Creates sockets for an address that is known or that functions return. */
export class Dialer {
  /** The address that was dialled last; empty before any is known. */
  url = '';
  /** The origin of that address, for `MessageEvent.origin`. */
  origin = '';
  readonly #url: UrlSource;
  readonly #protocols: ProtocolsSource;
  readonly #create: CreateWebSocket;

  /** @throws {DOMException} `SyntaxError` if the address or a subprotocol is invalid. */
  constructor(url: UrlSource, protocols: ProtocolsSource, create: CreateWebSocket) {
    this.#url = typeof url === 'function' ? url : readUrl(url);
    this.#protocols = typeof protocols === 'function' ? protocols : readProtocols(protocols);
    this.#create = create;
    if (typeof this.#url === 'string') this.url = this.#url;
  }

  /** Resolves the address. Returns a function that dials it, or a promise of that if a function returns the address. */
  resolve(attempt: Attempt): (() => WebSocketLike) | Promise<() => WebSocketLike> {
    const [url, protocols] = [this.#url, this.#protocols];
    if (typeof url !== 'function' && typeof protocols !== 'function') {
      return this.#dial(url, protocols);
    }
    return Promise.all([ask(url, attempt), ask(protocols, attempt)]).then(([url, protocols]) =>
      this.#dial(url, protocols),
    );
  }

  #dial(
    given: string | DomUrl,
    offered: string | Iterable<string> | undefined,
  ): () => WebSocketLike {
    const url = readUrl(given);
    const protocols = readProtocols(offered);
    const { origin } = new URL(url);
    return () => {
      this.url = url;
      this.origin = origin;
      return this.#create(url, protocols);
    };
  }
}

/** Calls the function in a later microtask, because it may close or reconnect its own socket. */
async function ask<Value>(asked: Asked<Value>, attempt: Attempt): Promise<Value> {
  await undefined;
  return typeof asked === 'function' ? (asked as (attempt: Attempt) => Value)(attempt) : asked;
}
