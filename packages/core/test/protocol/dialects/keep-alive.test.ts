import { describe, expect, it } from 'vitest';
import { appSync, keepAlive } from '../../../src/protocol/dialects/keep-alive.ts';
import { inPage } from '../../in-page.ts';
import { bytes } from './bytes.ts';

describe('ka', () => {
  it('hears the server, whose silence counts from the first `ka` on', () => {
    const session = keepAlive().open('client');
    expect(session.receive('{"type":"connection_ack"}')).toBeUndefined();
    expect(session.timing).toEqual({});
    expect(session.receive('{"type":"ka"}')).toEqual({
      beats: [{ kind: 'beat' }],
      rest: undefined,
    });
    expect(session.timing).toEqual({ maxSilence: 30_000 });
    expect(session.ping('1')).toBeUndefined();
  });

  it('waits no longer than the acknowledgement of AppSync says', () => {
    const session = appSync.open('client');
    session.receive('{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}');
    expect(session.timing).toEqual({ maxSilence: 75_000 });
    session.receive('{"type":"connection_ack","connectionTimeoutMs":50000}');
    expect(session.timing).toEqual({ maxSilence: 50_000 });
  });

  it('hears `keepalive` too, and leaves it in the stream of a shared socket', () => {
    const message = '{"type":"keepalive"}';
    expect(keepAlive().open('client', true).receive(message)).toEqual({
      beats: [{ kind: 'beat' }],
      rest: message,
    });
  });

  it('learns nothing from binary messages, other types and timeouts that are no time', () => {
    const session = keepAlive().open('client');
    for (const message of [
      bytes('{"type":"ka"}'),
      '{"type":"data"}',
      'connection_ack',
      '{"type":"data","payload":"connection_ack"}',
      '{"type":"connection_ack","payload":null}',
      '{"type":"connection_ack","payload":{"connectionTimeoutMs":-1}}',
    ]) {
      expect(session.receive(message)).toBeUndefined();
      expect(session.timing).toEqual({});
    }
  });

  it('sends nothing in a bundle for pages', async () => {
    const page = await inPage(() => import('../../../src/protocol/dialects/keep-alive.ts'));
    expect(page.keepAlive().open('server').ping('1')).toBeUndefined();
  });
});
