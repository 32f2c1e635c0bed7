import { describe, expect, it } from 'vitest';
import {
  actionCable,
  answering,
  engineIo,
  graphql,
  mqtt,
  phoenix,
  stomp,
  text,
  trpc,
} from '../../../src/protocol/dialects/index.ts';
import type { SocketEvent } from '../../../src/socket.ts';
import { bytes } from './bytes.ts';
import { Connected } from './connected.ts';

const CONNACK = bytes([0x20, 2, 0, 0]);
const PINGREQ = bytes([0xc0, 0]);
const PINGRESP = bytes([0xd0, 0]);

const TIMING = { pingInterval: 1_000, pingTimeout: 2_000 };

/** An event as a runtime creates it. */
class MessageEvent implements SocketEvent {
  readonly type: string;
  readonly data: unknown;
  readonly origin: string | undefined;

  constructor(type: string, { data, origin }: { data: unknown; origin?: string }) {
    this.type = type;
    this.data = data;
    this.origin = origin;
  }
}

const eventOf = (data: unknown) => new MessageEvent('message', { data, origin: 'ws://a' });

describe('connectDialect', () => {
  it('pings at once, measures the latency, and hides the pong from the application', () => {
    const it = new Connected(trpc, TIMING);
    expect(it.sent).toEqual(['PING']);
    it.scheduler.advance(30);
    expect(it.receive('PONG')).toBeUndefined();
    expect(it.driver.heartbeat.latency).toBe(30);
    it.scheduler.advance(1_000);
    expect(it.sent).toEqual(['PING', 'PING']);
  });

  it('passes on what is no beat, as the same object', () => {
    const it = new Connected(trpc, TIMING);
    const blob = { size: 3, type: '' };
    for (const data of ['{"id":1}', bytes('PONG'), blob, 'PONG ']) {
      expect(it.receive(data)).toBe(data);
    }
  });

  it('expects a peer that it was chosen for to answer, from the first connection on', () => {
    const it = new Connected(trpc, TIMING);
    it.scheduler.advance(5_000);
    expect(it.status).toBe('dead');
  });

  it('sends no scheduled ping if scheduled pings are off', () => {
    const it = new Connected(trpc, { pingInterval: false });
    it.scheduler.advance(100_000);
    expect(it.sent).toEqual([]);
    expect(it.dialect?.asks).toBe(true);
  });

  it('sends nothing before the handshake of the protocol is over', () => {
    const it = new Connected(mqtt, TIMING);
    it.scheduler.advance(60_000);
    expect(it.sent).toEqual([]);
    expect(it.dialect?.asks).toBe(false);
    expect(it.receive(CONNACK)).toBe(CONNACK);
    expect(it.sent).toEqual([PINGREQ]);
    expect(it.dialect?.asks).toBe(true);
  });

  it('gives the id of a ping to its pong', () => {
    const it = new Connected(graphql, TIMING);
    const [first] = it.sent;
    expect(first).toBe('{"type":"ping","payload":{"wirebeat":"1"}}');
    it.receive('{"type":"pong","payload":{"wirebeat":"1"}}');
    expect(it.named('pong')).toMatchObject([{ id: '1' }]);
    it.scheduler.advance(1_000);
    expect(it.sent[1]).toBe('{"type":"ping","payload":{"wirebeat":"."}}'); // it has no id
    it.receive('{"type":"pong","payload":{"wirebeat":"."}}');
    expect(it.named('pong')).toMatchObject([{ id: '1' }, { id: undefined }]);
  });

  it('leaves the pings of the peer to the client that shares the socket', () => {
    const it = new Connected(engineIo);
    expect(it.receive('2')).toBe('2');
    expect(it.sent).toEqual([]);
  });

  it('answers them if it has the socket for itself', () => {
    const it = new Connected(answering(engineIo));
    expect(it.receive('2')).toBeUndefined();
    expect(it.sent).toEqual(['3']);
  });

  it('leaves the pongs to the pings of the application to it', () => {
    const it = new Connected(trpc, { pingInterval: false });
    it.send('PING');
    expect(it.receive('PONG')).toBe('PONG');
    expect(it.named('pong')).toEqual([]);
  });

  it('ignores a pong that answers nothing', () => {
    const it = new Connected(trpc, { pingInterval: false });
    expect(it.receive('PONG')).toBe('PONG');
    expect(it.named('pong')).toEqual([]);
  });

  describe('where this end only listens', () => {
    it('judges by the silence that the handshake promises', () => {
      const it = new Connected(engineIo);
      it.receive('0{"sid":"x","pingInterval":250,"pingTimeout":200}');
      it.scheduler.advance(440);
      it.receive('4any');
      it.scheduler.advance(449);
      expect(it.status).toBe('alive');
      const { detectionBound } = it.driver.heartbeat;
      it.scheduler.advance(detectionBound - 449);
      expect(it.named('dead')).toMatchObject([{ reason: 'max-silence' }]);
      expect(it.sent).toEqual([]);
    });

    it('judges nobody who has promised nothing', () => {
      const it = new Connected(actionCable);
      it.scheduler.advance(3_600_000);
      expect(it.status).toBe('alive');
    });

    it('judges by the option `maxSilence` if that is shorter', () => {
      const it = new Connected(engineIo, { maxSilence: 100 });
      it.receive('0{"pingInterval":25000,"pingTimeout":20000}');
      it.scheduler.advance(1_000);
      expect(it.status).toBe('dead');
    });

    it('forgets the promise at the next connection on the same socket', () => {
      const it = new Connected(engineIo);
      it.receive('0{"pingInterval":250,"pingTimeout":200}');
      const next = engineIo.connect({
        end: 'client',
        protocol: '',
        driver: it.driver,
        maxSilence: Number.POSITIVE_INFINITY,
        now: () => it.scheduler.now(),
        send: () => {},
        emit: () => {},
      });
      next?.open();
      it.scheduler.advance(60_000);
      expect(it.status).toBe('alive');
    });

    it('sends no ping, whoever asks for one', () => {
      const it = new Connected(engineIo);
      it.driver.probe(1_000);
      expect(it.dialect?.ping('1')).toBeUndefined();
      expect(it.dialect?.asks).toBe(false);
    });
  });

  it('pings at least as often as the peer asks for, if it has the socket for itself', () => {
    const alone = new Connected(answering(phoenix()), { pingInterval: 40_000 });
    expect(alone.driver.heartbeat.pingInterval).toBe(30_000);
    const shared = new Connected(phoenix(), { pingInterval: 40_000 });
    expect(shared.driver.heartbeat.pingInterval).toBe(40_000);
  });

  it('waits with a ping for the end of a packet that the application sends in parts', () => {
    const it = new Connected(mqtt, TIMING);
    it.receive(CONNACK);
    it.receive(PINGRESP);
    it.send(bytes([0x30, 5, 0, 1]));
    it.scheduler.advance(60_000);
    expect(it.sent).toEqual([PINGREQ]);
    expect(it.status).toBe('alive');
    it.send(bytes('a'));
    expect(it.sent).toEqual([PINGREQ]);
    it.send(bytes('bc'));
    expect(it.sent).toEqual([PINGREQ, PINGREQ]);
  });

  it('learns from what the application sends, after it is sent', () => {
    const it = new Connected(stomp, {}, { end: 'server' });
    it.receive('CONNECT\nheart-beat:1000,1000\n\n\0');
    it.dialect?.sending('CONNECTED\nheart-beat:1000,1000\n\n\0');
    expect(it.driver.heartbeat.maxSilence).toBe(Number.POSITIVE_INFINITY);
    it.dialect?.sent();
    expect(it.driver.heartbeat.maxSilence).toBe(2_000);
  });

  it('ignores what it cannot read of what the application sends', () => {
    const it = new Connected(trpc, { pingInterval: false });
    expect(() => it.send({ size: 1, type: '' })).not.toThrow();
  });

  it('takes its pong out of a message that holds more', () => {
    const it = new Connected(mqtt, TIMING);
    it.receive(CONNACK);
    const puback = [0x40, 2, 0, 1];
    expect(it.receive(bytes([0xd0, 0, ...puback]))).toEqual(bytes(puback));
    it.scheduler.advance(1_000);
    expect(it.receive(PINGRESP)).toBeUndefined();
  });

  describe('an event', () => {
    it('is passed on as it is, or hidden', () => {
      const it = new Connected(trpc, TIMING);
      const message = eventOf('hello');
      expect(it.dialect?.receiveEvent(message)).toBe(message);
      expect(it.dialect?.receiveEvent(eventOf('PONG'))).toBeUndefined();
    });

    it('is read once, however many listeners ask', () => {
      const it = new Connected(trpc, TIMING);
      const pong = eventOf('PONG');
      for (const byHandler of [true, true, false, true]) {
        expect(it.dialect?.receiveEvent(pong, byHandler)).toBeUndefined();
      }
      const second = eventOf('PONG');
      expect(it.dialect?.receiveEvent(second)).toBe(second); // it answers no ping of ours
    });

    it('is read once if a copy is dispatched after its handler was called', () => {
      const it = new Connected(trpc, TIMING);
      expect(it.dialect?.receiveEvent(eventOf('PONG'), true)).toBeUndefined();
      expect(it.dialect?.receiveEvent(eventOf('PONG'))).toBeUndefined();
      const other = eventOf('PONG');
      expect(it.dialect?.receiveEvent(other, true)).toBe(other);
      const copy = eventOf('PONG');
      expect(it.dialect?.receiveEvent(copy)).toBe(copy);
      expect(it.dialect?.receiveEvent(copy)).toBe(copy);
    });

    it('is replaced by a copy with the rest, which passes', () => {
      const it = new Connected(mqtt, TIMING);
      it.receive(CONNACK);
      const message = bytes([0xd0, 0, 0x40, 2, 0, 1]).buffer;
      const left = it.dialect?.receiveEvent(eventOf(message));
      expect(left).toEqual(eventOf(bytes([0x40, 2, 0, 1]).buffer));
      expect(it.dialect?.receiveEvent(left as SocketEvent)).toBe(left);
    });

    it('is hidden if its dialect cannot cut messages', () => {
      const { cut: _, ...definition } = mqtt;
      const it = new Connected({ ...definition, connect: mqtt.connect }, TIMING);
      it.receive(CONNACK);
      expect(it.dialect?.receiveEvent(eventOf(bytes([0xd0, 0]).buffer))).toBeUndefined();
    });
  });

  it('reads the text of `ws`, which comes as bytes', () => {
    const it = new Connected(text(), TIMING);
    expect(it.dialect?.receive(Buffer.from('pong'), true)).toBeUndefined();
    const data = Buffer.from('hello');
    expect(it.dialect?.receive(data, true)).toBe(data);
  });
});
