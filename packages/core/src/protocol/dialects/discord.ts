import { IS_PAGE } from '../../development.ts';
import type { Dialect } from './dialect.ts';
import { asking, define } from './dialect-connection.ts';
import { inOrder } from './in-order.ts';
import { messageSession, readJson } from './messages.ts';
import { textOf } from './wire.ts';

/** The operations of the protocol. */
const HEARTBEAT = 1;
const ACK = 11;
/** Only the first message of the server has it. */
const INTERVAL = /"heartbeat_interval":(\d{1,9})[,}]/;
/** The beginning of an event. Most are long, so that they are not parsed. */
const SEQUENCE = /^\{"t":"\w+","s":(\d+),/;

/**
 * The gateway of Discord, version 10, with messages in JSON and without compression: the client sends
 * operation 1 with the number of the last event, and the server answers with operation 11. The server may
 * ask for a heartbeat by operation 1 too. Acknowledgements are matched with heartbeats by their order.
 *
 * Source: the documentation of Discord's gateway, sections "Sending Heartbeats" and "Hello Event".
 */
export const discord: Dialect = /* @__PURE__ */ define(
  {
    name: 'discord',
    client: { asks: true, beats: false },
    server: { asks: false, beats: false },
    inject: 'order',
    spreadFirst: true,
    open(end, isShared) {
      const isClient = IS_PAGE || end === 'client';
      let last: string | null = null;
      const heartbeat = () => `{"op":${HEARTBEAT},"d":${last}}`;
      const grammar = inOrder({
        write: () => (isClient ? heartbeat() : undefined),
        read(message) {
          const { op } = readJson(message);
          if (op === ACK) return { kind: 'pong' };
          if (op !== HEARTBEAT) return undefined;
          return { kind: 'ping', answer: isClient ? heartbeat() : `{"op":${ACK}}` };
        },
        learn(message, learned, beat) {
          last = SEQUENCE.exec(String(message))?.[1] ?? last;
          // The answer to the server is acknowledged like every heartbeat.
          if (isClient && !isShared && beat?.kind === 'ping') grammar.sent?.(message);
          const [, interval] = (!learned.ready && INTERVAL.exec(String(message))) || [];
          if (!interval) return;
          learned.ready = true;
          learned.timing = { pingInterval: Number(interval) };
        },
        ready: !isClient,
      });
      return messageSession(grammar, isShared);
    },
  },
  textOf,
  asking,
);
