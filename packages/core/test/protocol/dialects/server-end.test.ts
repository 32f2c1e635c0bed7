// What happens only outside of pages, mostly at servers. The bundle for pages leaves it out.
import { describe, expect, it } from 'vitest';
import {
  actionCable,
  discord,
  engineIo,
  keepAlive,
  mqtt,
  phoenix,
  pusher,
  text,
} from '../../../src/protocol/dialects/index.ts';
import { bytes } from './bytes.ts';
import { Connected } from './connected.ts';

const connack = bytes([0x20, 2, 0, 0]);
const PONG = '{"event":"pusher:pong","data":{}}';

describe('Phoenix', () => {
  it('answers a heartbeat at a server, in the form of its serializer', () => {
    const arrays = phoenix().open('server');
    expect(arrays.receive('[null,"7","phoenix","heartbeat",{}]')?.beats).toEqual([
      {
        kind: 'ping',
        id: '7',
        answer: '[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]',
      },
    ]);
    const objects = phoenix({ serializer: 1 }).open('server');
    const heartbeat = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"7"}';
    expect(objects.receive(heartbeat)?.beats).toEqual([
      {
        kind: 'ping',
        id: '7',
        answer:
          '{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"7"}',
      },
    ]);
  });
});

describe('Discord', () => {
  it('acknowledges at a server, and sends nothing by itself', () => {
    const session = discord.open('server');
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive('{"op":1,"d":251}')?.beats).toEqual([
      { kind: 'ping', answer: '{"op":11}' },
    ]);
  });
});

describe('Engine.IO', () => {
  it('asks from a server, and matches the answer', () => {
    const session = engineIo.open('server');
    expect(session.ping('1')).toBe('2');
    expect(session.receive('3')?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });
});

describe('ka', () => {
  it('sends `ka` from a server', () => {
    expect(keepAlive({ name: 'other' }).open('server').ping('1')).toBe('{"type":"ka"}');
  });
});

describe('Action Cable', () => {
  it('pings from a server at once', () => {
    expect(actionCable.open('server').ping('1')).toBe('{"type":"ping"}');
  });
});

describe('MQTT', () => {
  it('answers at a broker once it has accepted the client', () => {
    const session = mqtt.open('server');
    session.sent(connack);
    expect(session.ready).toBe(true);
    expect(session.receive(bytes([0xc0, 0]))).toEqual({
      beats: [{ kind: 'ping', answer: bytes([0xd0, 0]) }],
      rest: undefined,
    });
  });

  it('leaves a ping to the broker that shares its socket', () => {
    const ping = bytes([0xc0, 0]);
    const session = mqtt.open('server', true);
    expect(session.receive(ping)).toEqual({
      beats: [{ kind: 'ping', answer: bytes([0xd0, 0]) }],
      rest: ping,
    });
    expect(session.sent(ping)).toBeUndefined();
  });
});

describe('Pusher', () => {
  it('reads pongs with or without data, as servers write them', () => {
    const session = pusher.open('server');
    for (const pong of ['{"event":"pusher:pong"}', '{"event":"pusher:pong","data":"{}"}', PONG]) {
      session.ping('1');
      expect(session.receive(pong)?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
    }
  });
});

describe('a connection', () => {
  it('reads the text of `ws`, which comes as bytes', () => {
    const it = new Connected(text(), { pingInterval: 1_000, pingTimeout: 2_000 });
    expect(it.dialect?.receive(Buffer.from('pong'), undefined, true)).toBeUndefined();
    const data = Buffer.from('hello');
    expect(it.dialect?.receive(data, undefined, true)).toBe(data);
  });
});
