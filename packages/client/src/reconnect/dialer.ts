import type { WebSocketLike } from '@wirebeat/core';
import { readProtocols, readUrl } from '../websocket-api/address.ts';
import type { DomAbortSignal, DomUrl } from '../websocket-api/dom-types.ts';
import type { CloseRecord } from './close-record.ts';

/** What is told to the functions that give an address. */
export interface Attempt {
  /** Attempts in a row before this one that failed or were lost soon; 0 at first. */
  readonly attempt: number;
  /** How the connection or attempt before this one ended; undefined at first. */
  readonly lastClose: CloseRecord | undefined;
  /** Aborted when the attempt ends before it is needed: by its timeout, `close()`, `reconnect()`. */
  readonly signal: DomAbortSignal;
}

/** A value, or what gives it anew at each attempt. */
type Asked<Value> = Value | ((attempt: Attempt) => Value | Promise<Value>);

/** The address of a {@link ReconnectingWebSocket}. */
export type UrlSource = Asked<string | DomUrl>;
/** The subprotocols that it offers. */
export type ProtocolsSource = Asked<string | Iterable<string> | undefined>;

/** Makes a socket: it dials. */
export type CreateWebSocket = (url: string, protocols?: string[]) => WebSocketLike;

/** Knows where to dial, or whom to ask. */
export class Dialer {
  /** The address that was dialled last; empty before any is known. */
  url = '';
  /** Its origin, as messages tell it. */
  origin = '';
  readonly #url: UrlSource;
  readonly #protocols: ProtocolsSource;
  readonly #create: CreateWebSocket;

  /** @throws {DOMException} `SyntaxError` for an address or subprotocols that cannot be used. */
  constructor(url: UrlSource, protocols: ProtocolsSource, create: CreateWebSocket) {
    this.#url = typeof url === 'function' ? url : readUrl(url);
    this.#protocols = typeof protocols === 'function' ? protocols : readProtocols(protocols);
    this.#create = create;
    if (typeof this.#url === 'string') this.url = this.#url;
  }

  /** Gives what dials, at once where nobody has to be asked. */
  prepare(attempt: Attempt): (() => WebSocketLike) | Promise<() => WebSocketLike> {
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

/** Asks in a later turn: what is asked may close or reconnect the socket that it serves. */
async function ask<Value>(asked: Asked<Value>, attempt: Attempt): Promise<Value> {
  await undefined;
  return typeof asked === 'function' ? (asked as (attempt: Attempt) => Value)(attempt) : asked;
}
