import { describe, expect, it } from 'vitest';
import { pusher } from '../../../src/protocol/dialects/index.ts';

const established = (data: unknown) =>
  JSON.stringify({ event: 'pusher:connection_established', data });
const PING = '{"event":"pusher:ping","data":{}}';
const PONG = '{"event":"pusher:pong","data":{}}';

describe('Pusher', () => {
  it('pings after the connection is established, and learns how often the server wants to hear it', () => {
    const session = pusher.open('client');
    expect(session.ping('1')).toBeUndefined();
    const message = established('{"socket_id":"1.2","activity_timeout":120}');
    expect(session.receive(message)).toBeUndefined();
    expect(session.timing).toEqual({ pingInterval: 120_000 });
    expect(session.ping('1')).toBe(PING);
    expect(session.receive(PONG)).toEqual({
      beats: [{ kind: 'pong', id: '1', isOurs: true }],
      rest: undefined,
    });
  });

  it('reads pongs with or without data, as servers write them', () => {
    const session = pusher.open('client');
    session.receive(established('{}'));
    for (const pong of ['{"event":"pusher:pong"}', '{"event":"pusher:pong","data":"{}"}', PONG]) {
      session.ping('1');
      expect(session.receive(pong)?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
    }
  });

  it('answers a ping, and gives the pongs of the official client to it', () => {
    const session = pusher.open('client', true);
    session.receive(established({ activity_timeout: 1 })); // not a string
    expect(session.timing).toEqual({});
    expect(session.receive(PING)).toEqual({ beats: [{ kind: 'ping', answer: PONG }], rest: PING });
    const theirs = session.sent(PING);
    session.ping('1');
    expect(session.receive(PONG)).toEqual({
      beats: [{ kind: 'pong', id: theirs, isOurs: false }],
      rest: PONG,
    });
    expect(session.receive(PONG)?.rest).toBeUndefined();
  });

  it('leaves everything else alone', () => {
    const session = pusher.open('client');
    for (const message of [
      '{"event":"client-ping","data":{}}',
      '{"event":"message","data":"pusher:pong"}',
      established('['),
      established('{"activity_timeout":"soon"}'),
    ]) {
      expect(session.receive(message)).toBeUndefined();
    }
    expect(session.timing).toEqual({});
  });
});
