import { describe, expect, it } from 'vitest';
import { json } from '../../../src/protocol/dialects/json.ts';
import { bytes } from './bytes.ts';

describe('json', () => {
  it('writes and reads {"type":"ping"} and {"type":"pong"}', () => {
    const session = json().open('client');
    expect(session.ping('1')).toBe('{"type":"ping"}');
    expect(session.receive('{ "type": "pong" }')?.beats[0]).toMatchObject({
      kind: 'pong',
      id: '1',
    });
  });

  it('puts the id where the protocol has it, under another name in the pong if need be', () => {
    const slack = json({ id: ['id', 'reply_to'] }).open('client');
    expect(slack.ping('7')).toBe('{"type":"ping","id":"wb7"}');
    expect(slack.receive('{"type":"pong","reply_to":"wb7"}')?.beats).toEqual([
      { kind: 'pong', id: '7', isOurs: true },
    ]);
  });

  it('answers with the id of the ping', () => {
    const session = json({ id: 'n' }).open('server');
    expect(session.receive('{"type":"ping","n":3}')?.beats).toEqual([
      { kind: 'ping', id: '3', answer: '{"type":"pong","n":3}' },
    ]);
  });

  it('takes no message with other members for a beat', () => {
    const session = json().open('client');
    for (const message of ['{"type":"pong","of":"chess"}', '["pong"]', '{"type":"PONG"}', '{']) {
      expect(session.receive(message)).toBeUndefined();
    }
  });

  it('answers without an id a ping that has none', () => {
    for (const dialect of [json(), json({ id: 'n' })]) {
      expect(dialect.open('server').receive('{"type":"ping"}')?.beats).toEqual([
        { kind: 'ping', answer: '{"type":"pong"}' },
      ]);
    }
  });

  it('matches by order a pong that has no id', () => {
    const session = json({ id: 'n' }).open('client');
    session.ping('1');
    expect(session.receive('{"type":"pong"}')?.beats).toEqual([
      { kind: 'pong', id: '1', isOurs: true },
    ]);
  });

  it('leaves binary messages to the application', () => {
    expect(json().open('client').receive(bytes('{"type":"pong"}'))).toBeUndefined();
  });

  it.each([
    ['text', 'price 17'],
    ['bytes', new Uint8Array([1, 2])],
    ['an array', '[1]'],
    ['a long message', `{"pong":"${'x'.repeat(300)}"}`],
  ])('with templates without members takes %s for no beat', (_, message) => {
    const { ping, receive } = json({ ping: {}, pong: {}, id: ['ping', 'pong'] }).open(
      'client',
      true,
    );
    ping('1');
    expect(receive(message)).toBeUndefined();
    expect(receive('{"pong":"wb1"}')?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });

  it('takes an empty object for a beat if its template has no members', () => {
    const { ping, receive } = json({ pong: {} }).open('client', true);
    ping('1');
    expect(receive('{bad')).toBeUndefined();
    expect(receive('{}')?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });
});
