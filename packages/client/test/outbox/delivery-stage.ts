// A socket that knows which of its messages have arrived.
import { Delivery, type DeliveryOptions } from '../../src/outbox/delivery.ts';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import type { Kind } from '../fake-server.ts';
import * as stage from '../stage.ts';

export interface Stage extends stage.Stage {
  readonly delivery: Delivery;
}

export type Options = ReconnectOptions & DeliveryOptions;

/** Dials: see `dial` of the stage. */
export function dial(kind?: Kind, { confirm, resend, ...options }: Options = {}): Stage {
  const delivery = new Delivery({
    ...(confirm !== undefined && { confirm }),
    ...(resend !== undefined && { resend }),
  });
  return { ...stage.dial(kind, { ...options, delivery }), delivery };
}

/** The same, open for 20 ms and with its first pong received. */
export function dialOpen(kind?: Kind, options?: Options): Stage {
  const opened = dial(kind, options);
  opened.scheduler.advance(30);
  return opened;
}
