import { describe, expect, it } from 'vitest';
import { phoenix } from '../../../src/protocol/dialects/phoenix.ts';
import { bytes } from './bytes.ts';

describe('Phoenix', () => {
  it('sends a heartbeat in arrays, and finds its reply by the ref', () => {
    const session = phoenix().open('client');
    expect(session.ping('wb1')).toBe('[null,"wb1","phoenix","heartbeat",{}]');
    const reply = '[null,"wb1","phoenix","phx_reply",{"status":"ok","response":{}}]';
    expect(session.receive(reply)?.beats).toEqual([{ kind: 'pong', id: 'wb1', isOurs: true }]);
  });

  it('speaks the objects of the older serializer on request', () => {
    const session = phoenix({ serializer: 1 }).open('client');
    expect(session.ping('wb1')).toBe(
      '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"wb1"}',
    );
    const reply =
      '{"ref":"wb1","payload":{"status":"ok","response":{}},"topic":"phoenix","event":"phx_reply"}';
    expect(session.receive(reply)?.beats).toEqual([{ kind: 'pong', id: 'wb1', isOurs: true }]);
  });

  it('leaves replies of other topics alone', () => {
    const reply = '["4","5","room:lobby","phx_reply",{"status":"ok","response":{}}]';
    expect(phoenix().open('client').receive(reply)).toBeUndefined();
  });

  it('leaves the reply to a heartbeat of its own client to it', () => {
    const session = phoenix().open('client', true);
    expect(session.sent('[null,"7","phoenix","heartbeat",{}]')).toBe('7');
    session.ping('wb1');
    const reply = '[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]';
    expect(session.receive(reply)).toEqual({
      beats: [{ kind: 'pong', id: '7', isOurs: false }],
      rest: reply,
    });
  });

  it('answers a heartbeat at a server, in the form of its serializer', () => {
    const arrays = phoenix().open('server');
    expect(arrays.receive('[null,"7","phoenix","heartbeat",{}]')?.beats).toEqual([
      {
        kind: 'ping',
        answer: '[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]',
      },
    ]);
    const objects = phoenix({ serializer: 1 }).open('server');
    const heartbeat = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"7"}';
    expect(objects.receive(heartbeat)?.beats).toEqual([
      {
        kind: 'ping',
        answer:
          '{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"7"}',
      },
    ]);
  });

  it('leaves messages of any other form alone', () => {
    const session = phoenix().open('client');
    for (const message of [
      bytes('[null,"1","phoenix","phx_reply",{}]'),
      '[null,"1","phoenix","phx_reply"]',
      '[null,1,"phoenix","phx_reply",{}]',
      '[null,"1","phoenix","phx_error",{}]',
      '[',
    ]) {
      expect(session.receive(message)).toBeUndefined();
    }
    const objects = phoenix({ serializer: 1 }).open('client');
    expect(objects.receive('{"topic":"phoenix","other":1}')).toBeUndefined();
  });
});
