import { describe, expect, it } from 'vitest';
import { phoenix } from '../../../src/protocol/dialects/phoenix.ts';
import { inPage } from '../../in-page.ts';
import { bytes } from './bytes.ts';

describe('Phoenix', () => {
  it('sends a heartbeat in arrays, and finds its reply by the ref', () => {
    const session = phoenix().open('client');
    expect(session.ping('1')).toBe('[null,"wb1","phoenix","heartbeat",{}]');
    const reply = '[null,"wb1","phoenix","phx_reply",{"status":"ok","response":{}}]';
    expect(session.receive(reply)?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });

  it('speaks the objects of the older serializer on request', () => {
    const session = phoenix({ serializer: 1 }).open('client');
    expect(session.ping('1')).toBe(
      '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"wb1"}',
    );
    const reply =
      '{"ref":"wb1","payload":{"status":"ok","response":{}},"topic":"phoenix","event":"phx_reply"}';
    expect(session.receive(reply)?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });

  it('leaves replies of other topics alone', () => {
    const reply = '["4","5","room:lobby","phx_reply",{"status":"ok","response":{}}]';
    expect(phoenix().open('client').receive(reply)).toBeUndefined();
  });

  it('leaves the reply to a heartbeat of its own client to it', () => {
    const session = phoenix().open('client', true);
    expect(session.sent('[null,"7","phoenix","heartbeat",{}]')).toBe('7');
    session.ping('1');
    const reply = '[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]';
    expect(session.receive(reply)).toEqual({
      beats: [{ kind: 'pong', id: '7', isOurs: false }],
      rest: reply,
    });
  });

  it('leaves messages of any other form alone', () => {
    const session = phoenix().open('client');
    for (const message of [
      bytes('[null,"1","phoenix","phx_reply",{}]'),
      '[null,1,"phoenix","phx_reply",{}]',
      '[null,"1","phoenix","phx_error",{}]',
      '[',
    ]) {
      expect(session.receive(message)).toBeUndefined();
    }
    const objects = phoenix({ serializer: 1 }).open('client');
    expect(objects.receive('{"topic":"phoenix","other":1}')).toBeUndefined();
  });

  it('writes no reply to a heartbeat in a bundle for pages, which receive none', async () => {
    const page = await inPage(() => import('../../../src/protocol/dialects/phoenix.ts'));
    expect(page.phoenix().open('client').receive('[null,"7","phoenix","heartbeat",{}]')).toEqual({
      beats: [{ kind: 'ping', id: '7', answer: '' }],
      rest: undefined,
    });
  });

  it('takes no other message of its own client for a heartbeat', () => {
    const session = phoenix().open('client', true);
    for (const message of [
      '[null,"7","phoenix","phx_reply",{}]',
      '["4","7","room:lobby","new_msg",{}]',
    ]) {
      expect(session.sent(message)).toBeUndefined();
    }
  });
});
