import { defineDialect } from './define-dialect.ts';
import type { Dialect, DialectTiming, Wire } from './dialect.ts';
import { messageSession, objectOf, parseShort } from './messages.ts';

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
export const actionCable: Dialect = /* @__PURE__ */ defineDialect({
  name: 'actioncable',
  subprotocols: ['actioncable-v1-json'],
  client: { asks: false, beats: false },
  server: { asks: false, beats: true },
  inject: 'never',
  open(end, isShared = false) {
    const write = () => (end === 'server' ? '{"type":"ping"}' : undefined);
    return messageSession({ write, read, learn, isGated: end === 'client' }, isShared);
  },
});

function learn(message: Wire, told: { ready: boolean; timing: DialectTiming }): void {
  if (message !== '{"type":"welcome"}') return;
  told.ready = true;
  told.timing = { maxSilence: MAX_SILENCE };
}

function read(message: Wire) {
  if (typeof message !== 'string' || message[0] !== '{') return undefined;
  const found = objectOf(parseShort(message), 'type', 'message');
  if (found?.['type'] !== 'ping') return undefined;
  const seconds = found['message'];
  return typeof seconds === 'number'
    ? ({ kind: 'beat', clock: seconds * 1_000 } as const)
    : ({ kind: 'beat' } as const);
}
