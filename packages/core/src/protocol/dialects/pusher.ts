import { IS_PAGE } from '../../development.ts';
import type { Dialect, Wire } from './dialect.ts';
import { asking, define } from './dialect-connection.ts';
import { inOrder } from './in-order.ts';
import { type Learned, messageSession, readJson } from './messages.ts';
import { textOf } from './wire.ts';

const PING = '{"event":"pusher:ping","data":{}}';
const PONG = '{"event":"pusher:pong","data":{}}';

/**
 * Pusher Channels, and the servers that speak its protocol, such as Laravel Reverb and Soketi: either end
 * sends `pusher:ping`, and the other answers `pusher:pong`. Pongs are matched with pings by their order.
 * The first message of the server contains its `activity_timeout` in seconds.
 *
 * Source: the Pusher Channels protocol, version 7, sections "Ping and pong messages" and
 * "pusher:connection_established".
 */
export const pusher: Dialect = /* @__PURE__ */ define(
  {
    name: 'pusher',
    client: { asks: true, beats: false },
    server: { asks: true, beats: false },
    inject: 'order',
    open(end, isShared) {
      const grammar = { write: () => PING, read, learn, ready: !IS_PAGE && end === 'server' };
      return messageSession(inOrder(grammar), isShared);
    },
  },
  textOf,
  asking,
);

function read(message: Wire) {
  const { event } = readJson(message);
  if (event === 'pusher:pong') return { kind: 'pong' } as const;
  return event === 'pusher:ping' ? ({ kind: 'ping', answer: PONG } as const) : undefined;
}

/** The data is JSON in a string. */
function learn(message: Wire, learned: Learned): void {
  if (learned.ready) return;
  const { event, data } = readJson(message);
  if (event !== 'pusher:connection_established') return;
  learned.ready = true;
  const seconds = Number(readJson(String(data))['activity_timeout']);
  if (seconds > 0) learned.timing = { pingInterval: seconds * 1_000 };
}
