import { IS_PAGE } from '../../development.ts';
import type { Dialect, Wire } from './dialect.ts';
import { define, listening } from './dialect-connection.ts';
import { type Learned, messageSession, readJson } from './messages.ts';
import { textOf } from './wire.ts';

/**
 * Action Cable servers send a ping every 3 s. The official client times out after two missing ones.
 */
const MAX_SILENCE = 6_000;

/**
 * Action Cable of Ruby on Rails: after `welcome`, the server sends a ping every 3 s, without an
 * answer. Its `message` is the clock of the server in whole seconds.
 *
 * Source: `ActionCable::Connection::Base#beat` and `connection_monitor.js` of Rails.
 */
export const actionCable: Dialect = /* @__PURE__ */ define(
  {
    name: 'actioncable',
    subprotocols: ['actioncable-v1-json'],
    client: { asks: false, beats: false },
    server: { asks: false, beats: true },
    inject: 'never',
    open(end, isShared) {
      const write = () => (!IS_PAGE && end === 'server' ? '{"type":"ping"}' : undefined);
      return messageSession({ write, read, learn, ready: !IS_PAGE && end === 'server' }, isShared);
    },
  },
  textOf,
  listening,
);

function learn(message: Wire, learned: Learned): void {
  if (message !== '{"type":"welcome"}') return;
  learned.ready = true;
  learned.timing = { maxSilence: MAX_SILENCE };
}

function read(message: Wire) {
  const { type, message: seconds } = readJson(message);
  if (type !== 'ping') return undefined;
  const clock = typeof seconds === 'number' && { clock: seconds * 1_000 };
  return { kind: 'beat', ...clock } as const;
}
