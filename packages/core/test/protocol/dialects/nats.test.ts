import { describe, expect, it } from 'vitest';
import { nats } from '../../../src/protocol/dialects/nats.ts';
import { bytes } from './bytes.ts';

describe('NATS', () => {
  it('asks and answers at any time', () => {
    const session = nats.open('client');
    expect(session.ping('1')).toEqual(bytes('PING\r\n'));
    expect(session.receive(bytes('PONG\r\nPING\r\n'))).toEqual({
      beats: [
        { kind: 'pong', id: '1', isOurs: true },
        { kind: 'ping', answer: bytes('PONG\r\n') },
      ],
      rest: undefined,
    });
  });

  it('does not look into payloads', () => {
    const session = nats.open('client');
    expect(session.receive(bytes('MSG a 1 12\r\nPING\r\nPONG\r\n\r\n'))).toBeUndefined();
    expect(session.receive(bytes('PING\r\n'))?.beats).toHaveLength(1);
  });

  it('answers only its own pings on a shared socket, and leaves the rest', () => {
    const session = nats.open('client', true);
    const theirs = session.sent('PING\r\n');
    session.ping('1');
    expect(session.receive(bytes('PONG\r\nPONG\r\nPING\r\n'))).toEqual({
      beats: [
        { kind: 'pong', id: theirs, isOurs: false },
        { kind: 'pong', id: '1', isOurs: true },
        { kind: 'ping', answer: bytes('PONG\r\n') },
      ],
      rest: bytes('PONG\r\nPING\r\n'),
    });
  });

  it('gives a pong that answers no ping to nobody, and ignores text messages', () => {
    const session = nats.open('server');
    expect(session.receive('PONG\r\n')).toBeUndefined();
    expect(session.receive(bytes('PONG\r\n'))?.beats).toEqual([{ kind: 'pong' }]);
  });

  it('does not ask in the middle of a line or payload of the application', () => {
    const session = nats.open('client', true);
    for (const part of ['PUB a', ' 3\r\n', 'é']) {
      session.sent(part);
      expect(session.ping('1')).toBeUndefined();
    }
    session.sent(bytes('a\r\n'));
    expect(session.ping('1')).toEqual(bytes('PING\r\n'));
  });

  it('finds a beat that began in an earlier message', () => {
    const session = nats.open('client');
    expect(session.receive(bytes('+OK\r\nPI'))).toEqual({ beats: [], rest: bytes('+OK\r\n') });
    expect(session.receive(bytes('N'))).toEqual({ beats: [], rest: undefined });
    expect(session.receive(bytes('G\r\n+OK\r\n'))).toEqual({
      beats: [{ kind: 'ping', answer: bytes('PONG\r\n') }],
      rest: bytes('+OK\r\n'),
    });
  });

  it('gives back what it held when it turns out to be no beat', () => {
    const session = nats.open('client');
    session.receive(bytes('P'));
    expect(session.receive(bytes('UB'))).toEqual({ beats: [], rest: bytes('PUB') });
    session.receive(bytes(' a 0\r\n\r\n'));
    session.receive(bytes('PIN'));
    expect(session.receive(bytes('\r\n'))).toEqual({ beats: [], rest: bytes('PIN\r\n') });
  });

  it('skips a line that is longer than any of the protocol', () => {
    const session = nats.open('client');
    expect(session.receive(bytes(`+${'x'.repeat(5_000)}\r\n`))).toBeUndefined();
  });

  it('says that the application has sent half a line', () => {
    const session = nats.open('client', true);
    expect(session.isMidMessage).toBe(false);
    session.sent(bytes('PUB a'));
    expect(session.isMidMessage).toBe(true);
    session.sent(bytes(' 1\r\nx\r\n'));
    expect(session.isMidMessage).toBe(false);
  });
});
