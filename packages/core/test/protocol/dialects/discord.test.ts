import { describe, expect, it } from 'vitest';
import { answering, discord } from '../../../src/protocol/dialects/index.ts';
import { inPage } from '../../in-page.ts';
import { bytes } from './bytes.ts';
import { Connected } from './connected.ts';

const HELLO =
  '{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250,"_trace":["[\\"gateway\\"]"]}}';
const ACK = '{"t":null,"s":null,"op":11,"d":null}';
const REQUEST = '{"t":null,"s":null,"op":1,"d":null}';
const event = (s: number) =>
  `{"t":"MESSAGE_CREATE","s":${s},"op":0,"d":{"text":"${'x'.repeat(400)}"}}`;

describe('Discord', () => {
  it('begins after the hello, with the number of the last event in each heartbeat', () => {
    const session = discord.open('client');
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive(HELLO)).toBeUndefined();
    expect(session.timing).toEqual({ pingInterval: 41_250 });
    expect(session.ping('1')).toBe('{"op":1,"d":null}');
    for (const s of [7, 8]) expect(session.receive(event(s))).toBeUndefined();
    expect(session.ping('2')).toBe('{"op":1,"d":8}');
    expect(session.receive(ACK)).toEqual({
      beats: [{ kind: 'pong', id: '1', isOurs: true }],
      rest: undefined,
    });
  });

  it('gives each acknowledgement to whoever sent the heartbeat', () => {
    const session = discord.open('client', true);
    session.receive(HELLO);
    const theirs = session.sent('{"op":1,"d":5}');
    session.ping('1');
    expect(session.receive(ACK)).toEqual({
      beats: [{ kind: 'pong', id: theirs, isOurs: false }],
      rest: ACK,
    });
    expect(session.receive('{"op":11}')?.rest).toBeUndefined();
  });

  it('leaves a request of the server to the official client', () => {
    const session = discord.open('client', true);
    session.receive(HELLO);
    session.ping('1');
    const request = { kind: 'ping', answer: '{"op":1,"d":null}' };
    expect(session.receive(REQUEST)).toEqual({ beats: [request], rest: REQUEST });
    expect(session.receive(ACK)?.beats).toMatchObject([{ id: '1', isOurs: true }]);
  });

  it('answers a request by a heartbeat, whose acknowledgement is no other', () => {
    const session = discord.open('client');
    session.receive(HELLO);
    session.receive(event(3));
    expect(session.receive(REQUEST)?.beats).toEqual([{ kind: 'ping', answer: '{"op":1,"d":3}' }]);
    session.ping('1');
    expect(session.receive(ACK)?.beats).toMatchObject([{ isOurs: false }]);
    expect(session.receive(ACK)?.beats).toMatchObject([{ id: '1', isOurs: true }]);
  });

  it('leaves everything else alone', () => {
    const session = discord.open('client');
    session.receive(HELLO);
    for (const message of [
      '{"op":"11"}',
      '{"t":"A","s":1,"op":0,"d":{"op":11}}',
      '[11]',
      bytes(ACK),
    ]) {
      expect(session.receive(message)).toBeUndefined();
    }
    session.receive('{"t":"A","s":2,"op":0,"d":{"heartbeat_interval":1}}');
    expect(session.timing).toMatchObject({ pingInterval: 41_250 });
  });

  it('does not ping at once, because all clients of a server that restarts would', () => {
    const it = new Connected(discord, { pingInterval: 1_000, pingTimeout: 2_000, jitter: 0 });
    it.receive(HELLO);
    expect(it.dialect?.asks).toBe(true);
    it.scheduler.advance(999);
    expect(it.sent).toEqual([]);
    it.scheduler.advance(1);
    expect(it.sent).toEqual(['{"op":1,"d":null}']);
    it.scheduler.advance(20);
    it.receive(ACK);
    expect(it.driver.heartbeat.latency).toBe(20);
  });

  it('finds a server dead that acknowledges nothing, and beats as often as it asks for', () => {
    const it = new Connected(answering(discord), { pingInterval: 60_000, pingTimeout: 2_000 });
    it.receive(HELLO);
    expect(it.driver.heartbeat.pingInterval).toBe(41_250);
    it.receive(REQUEST);
    expect(it.sent).toEqual(['{"op":1,"d":null}']);
    it.scheduler.advance(60_000);
    expect(it.status).toBe('dead');
  });

  it('sends heartbeats, and answers by them, in a bundle for pages', async () => {
    const page = await inPage(() => import('../../../src/protocol/dialects/discord.ts'));
    const session = page.discord.open('server'); // a page is no server, whatever it says
    expect(session.ping('1')).toBeUndefined(); // before the hello
    session.receive(HELLO);
    session.receive(event(3));
    expect(session.ping('1')).toBe('{"op":1,"d":3}');
    expect(session.receive(REQUEST)?.beats).toEqual([{ kind: 'ping', answer: '{"op":1,"d":3}' }]);
  });
});
