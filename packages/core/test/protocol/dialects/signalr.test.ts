import { describe, expect, it } from 'vitest';
import { signalR } from '../../../src/protocol/dialects/signalr.ts';
import { bytes } from './bytes.ts';

describe('SignalR', () => {
  it('is ready at a server once that has sent the response of the handshake', () => {
    const session = signalR.open('server');
    session.receive('{"protocol":"json","version":1}\u001e');
    expect(session.ping('1')).toBeUndefined();
    session.sent('{}\u001e');
    expect(session.ping('1')).toBe('{"type":6}\u001e');
  });

  it('beats once the handshake is over, and never before', () => {
    const session = signalR.open('client');
    session.sent('{"protocol":"json","version":1}\u001e');
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive('{}\u001e')).toBeUndefined();
    expect(session.ping('1')).toBe('{"type":6}\u001e');
    expect(session.timing).toEqual({ pingInterval: 15_000, maxSilence: 30_000 });
  });

  it('takes a beat out from between the records of one message', () => {
    const session = signalR.open('client');
    const record = '{"type":1,"target":"x","arguments":[]}\u001e';
    expect(session.receive(`{}\u001e{"type":6}\u001e${record}`)).toEqual({
      beats: [{ kind: 'beat' }],
      rest: `{}\u001e${record}`,
    });
  });

  it('does not beat in the middle of a record of the application', () => {
    const session = signalR.open('client');
    session.receive('{}\u001e');
    session.sent('{"type":1,');
    expect(session.ping('1')).toBeUndefined();
    session.sent('"target":"x"}\u001e');
    expect(session.ping('1')).toBeDefined();
  });

  it('promises nothing before the handshake is over', () => {
    const session = signalR.open('server');
    expect(session.ready).toBe(false);
    expect(session.timing).toEqual({});
  });

  it('leaves binary messages alone, in both directions', () => {
    const session = signalR.open('client');
    session.receive('{}\u001e');
    expect(session.receive(bytes('{"type":6}\u001e'))).toBeUndefined();
    expect(session.sent(bytes('{"type":1'))).toBeUndefined();
    expect(session.sent('')).toBeUndefined();
    expect(session.ping('1')).toBeDefined();
  });

  it('leaves a beat in the stream of a shared socket, and takes it out of one that is not', () => {
    const message = '{"type":6}\u001e';
    const beats = [{ kind: 'beat' }];
    expect(signalR.open('client', true).receive(message)).toEqual({ beats, rest: message });
    expect(signalR.open('client').receive(message)).toEqual({ beats, rest: undefined });
  });

  it('takes the end of a record that began in the message before for no beat', () => {
    const session = signalR.open('client');
    expect(session.receive('{"arguments":')).toBeUndefined();
    expect(session.receive('')).toBeUndefined();
    expect(session.receive('{"type":6}\u001e')).toBeUndefined();
    expect(session.receive('{"type":6}\u001e')?.beats).toHaveLength(1);
  });

  it('says that the application has sent half a record', () => {
    const session = signalR.open('client', true);
    expect(session.isMidMessage).toBe(false);
    session.sent('{"type":1');
    expect(session.isMidMessage).toBe(true);
    session.sent('}\u001e');
    expect(session.isMidMessage).toBe(false);
  });
});
