import { describe, expect, it } from 'vitest';
import { stomp } from '../../../src/protocol/dialects/stomp.ts';
import { bytes } from './bytes.ts';

describe('STOMP', () => {
  it('agrees with the server on how often both beat', () => {
    const session = stomp.open('client');
    session.sent('CONNECT\naccept-version:1.2\nheart-beat:1000,500\n\n\0');
    expect(session.ping('1')).toBeUndefined();
    session.receive('CONNECTED\nversion:1.2\nheart-beat:2000,3000\n\n\0');
    expect(session.timing).toEqual({ pingInterval: 3_000, maxSilence: 4_000 });
    expect(session.ping('1')).toBe('\n');
  });

  it('promises nothing where one end does not want it', () => {
    const session = stomp.open('client');
    session.sent('CONNECT\nheart-beat:0,0\n\n\0');
    session.receive('CONNECTED\nheart-beat:2000,3000\n\n\0');
    expect(session.timing).toEqual({});
  });

  it('finds the line feed behind a frame in the same message', () => {
    const session = stomp.open('client');
    const frame = 'CONNECTED\nheart-beat:0,0\n\n\0';
    expect(session.receive(`${frame}\n`)).toEqual({ beats: [{ kind: 'beat' }], rest: frame });
  });

  it('skips a body by its length, whatever is in it', () => {
    const session = stomp.open('client');
    const frame = 'MESSAGE\ncontent-length:6\n\n\0\n\n\0é\0';
    expect(session.receive(frame)).toBeUndefined();
    expect(session.receive('\n')?.beats).toHaveLength(1);
  });

  it('agrees with the client at a server, whether it says CONNECT or STOMP', () => {
    for (const command of ['CONNECT', 'STOMP']) {
      const session = stomp.open('server');
      session.receive(`${command}\nheart-beat:1000,500\n\n\0`);
      expect(session.ping('1')).toBeUndefined();
      expect(session.timing).toEqual({});
      session.sent('CONNECTED\nheart-beat:2000,3000\n\n\0');
      expect(session.ready).toBe(true);
      expect(session.timing).toEqual({ pingInterval: 2_000, maxSilence: 6_000 });
    }
  });

  it('promises nothing to a peer whose frames were never seen or name no heart-beat', () => {
    const session = stomp.open('client');
    session.receive('CONNECTED\nversion:1.2\n\n\0');
    expect(session.timing).toEqual({});
    session.receive('ERROR\n\n\0');
    expect(session.ready).toBe(true);
    const server = stomp.open('server');
    server.sent('CONNECTED\nheart-beat:1000,1000\n\n\0');
    expect(server.timing).toEqual({});
  });

  it('reads lines that end with a carriage return and a line feed', () => {
    const session = stomp.open('client');
    session.sent('CONNECT\r\nheart-beat:1000,1000\r\n\r\n\0');
    session.receive('CONNECTED\r\nheart-beat:1000,1000\r\n\r\n\0');
    expect(session.timing).toEqual({ pingInterval: 1_000, maxSilence: 2_000 });
    expect(session.receive('\r\n')).toEqual({ beats: [{ kind: 'beat' }], rest: '\r' });
  });

  it('reads binary frames, whose length counts bytes', () => {
    const session = stomp.open('client');
    const frame = bytes('MESSAGE\ncontent-length:3\n\n\0\n\0\0');
    expect(session.receive(frame)).toBeUndefined();
    expect(session.receive(bytes('\n'))?.beats).toHaveLength(1);
  });

  it('leaves the line feed in the stream of a shared socket', () => {
    expect(stomp.open('client', true).receive('\n')).toEqual({
      beats: [{ kind: 'beat' }],
      rest: '\n',
    });
  });

  it('does not beat in the middle of a frame of the application', () => {
    const session = stomp.open('client');
    session.receive('CONNECTED\n\n\0');
    session.sent('SEND\n\nbo');
    expect(session.ping('1')).toBeUndefined();
    session.sent('dy\0');
    expect(session.ping('1')).toBe('\n');
  });

  it('finds the end of a head that is longer than what it keeps', () => {
    const session = stomp.open('client');
    expect(session.receive(`MESSAGE\na:${'x'.repeat(2_000)}\n\n\n\0`)).toBeUndefined();
    expect(session.receive('\n')?.beats).toHaveLength(1);
  });

  it('says that the application has sent half a frame', () => {
    const session = stomp.open('client', true);
    expect(session.isMidMessage).toBe(false);
    session.sent('SEND\n');
    expect(session.isMidMessage).toBe(true);
    session.sent('destination:/a\n\nx\0');
    expect(session.isMidMessage).toBe(false);
  });
});
