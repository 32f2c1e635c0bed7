import {
  ConnectionClosedError,
  resolveOptions,
  type Scheduler,
  type SocketData,
} from '@wirebeat/core';
import { IS_DEVELOPMENT } from '../development.ts';
import { ConfirmingOutbox } from './confirming-outbox.ts';
import type { Flushed, MessageOutbox, Unsendable } from './outbox.ts';
import type { QueueBounds } from './queue-bounds.ts';

/** Options of {@link Delivery}. */
export interface DeliveryOptions {
  /**
   * Whether messages stay in the queue until the server has confirmed them. Unconfirmed messages
   * are in `unconfirmed`.
   * @default true if `resend` is `true`, otherwise false
   */
  readonly confirm?: boolean;
  /**
   * Whether unconfirmed messages are sent again on the next connection. Includes `confirm`.
   * @default false
   */
  readonly resend?: boolean;
}

const DELIVERY_SCHEMA = {
  confirm: { type: 'boolean' },
  resend: { type: 'boolean' },
} as const;

/**
 * Knows which messages of one {@link ReconnectingWebSocket} have arrived. Pass it as the `delivery`
 * option. It adds no bytes to a page that does not import it.
 *
 * ```ts
 * const delivery = new Delivery({ resend: true });
 * const socket = new ReconnectingWebSocket(url, protocols, { delivery });
 * socket.send('order');
 * await delivery.flushed();
 * ```
 *
 * @throws {InvalidOptionError} if an option is no boolean or unknown.
 */
export class Delivery {
  readonly confirm: boolean;
  readonly resend: boolean;
  #outbox: ConfirmingOutbox | undefined;

  constructor(options: DeliveryOptions = {}) {
    if (IS_DEVELOPMENT) resolveOptions(DELIVERY_SCHEMA, options);
    const { resend = false, confirm = resend } = options;
    this.resend = resend;
    this.confirm = confirm || resend;
  }

  /**
   * Resolves once the WebSocket layer of the peer has read all messages sent so far. The result
   * says whether that peer is the server or a gateway. This does not mean that the application at
   * the other end has processed them. Rejects with {@link ConnectionClosedError} if the connection
   * ends first and unconfirmed messages are not sent again, or if there is no socket yet.
   */
  async flushed(): Promise<Flushed> {
    if (this.#outbox === undefined) throw new ConnectionClosedError();
    return this.#outbox.flushed();
  }

  /**
   * The messages that were sent and not confirmed, on this connection or, until the next `open`, on
   * the last one. Always empty without `confirm` or `resend`.
   */
  get unconfirmed(): readonly SocketData[] {
    return this.#outbox?.unconfirmed ?? [];
  }

  /** @internal Called by the socket that this is passed to. */
  open(
    bounds: QueueBounds & { readonly scheduler: Scheduler },
    unsendable?: Unsendable,
  ): MessageOutbox {
    const { confirm, resend } = this;
    const { maxQueuedBytes, maxQueuedMessages, queuePolicy, scheduler } = bounds;
    const limits = { maxQueuedBytes, maxQueuedMessages, queuePolicy };
    this.#outbox = new ConfirmingOutbox({ ...limits, scheduler, confirm, resend }, unsendable);
    return this.#outbox;
  }
}
