import { describe, expect, it } from 'vitest';
import { graphql } from '../../../src/protocol/dialects/graphql.ts';
import { bytes } from './bytes.ts';

describe('graphql-transport-ws', () => {
  it('sends its id in the payload, which a server may echo', () => {
    const session = graphql.open('client');
    expect(session.ping('1')).toBe('{"type":"ping","payload":{"wirebeat":"1"}}');
    const pong = '{"type":"pong","payload":{"wirebeat":"1"}}';
    expect(session.receive(pong)?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });

  it('matches by order the pongs of a server that echoes nothing', () => {
    const session = graphql.open('client');
    session.ping('1');
    expect(session.receive('{"type":"pong"}')?.beats).toEqual([
      { kind: 'pong', id: '1', isOurs: true },
    ]);
  });

  it('echoes the payload of a ping of the server', () => {
    const { beats } = graphql.open('client').receive('{"type":"ping","payload":{"a":1}}') ?? {};
    expect(beats).toEqual([{ kind: 'ping', answer: '{"type":"pong","payload":{"a":1}}' }]);
  });

  it('leaves the messages of operations alone', () => {
    const next = '{"id":"1","type":"next","payload":{"data":{"type":"pong"}}}';
    expect(graphql.open('client').receive(next)).toBeUndefined();
  });

  it('leaves binary messages and other types to the application', () => {
    const session = graphql.open('server');
    for (const message of [bytes('{"type":"ping"}'), '{"type":"connection_init"}', '{']) {
      expect(session.receive(message)).toBeUndefined();
    }
  });

  it('answers a ping without a payload with a pong without one', () => {
    expect(graphql.open('server').receive('{"type":"ping"}')?.beats).toEqual([
      { kind: 'ping', answer: '{"type":"pong"}' },
    ]);
  });
});
