import { describe, expect, it } from 'vitest';
import {
  actionCable,
  answering,
  defineDialect,
  discord,
  engineIo,
  graphql,
  mqtt,
  observing,
  phoenix,
  stomp,
  trpc,
} from '../../../src/protocol/dialects/index.ts';
import type { SocketEvent } from '../../../src/socket.ts';
import { inPage } from '../../in-page.ts';
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

describe('a connection', () => {
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
    expect(it.sent[1]).toBe('{"type":"ping","payload":{"wirebeat":""}}'); // it has no id
    it.receive('{"type":"pong","payload":{"wirebeat":""}}');
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

  it('lets the first ping wait for its interval where all clients would ping at once', () => {
    const { connect: _, ...definition } = mqtt;
    const it = new Connected(defineDialect({ ...definition, spreadFirst: true }), TIMING);
    it.receive(CONNACK);
    expect(it.sent).toEqual([]);
    it.scheduler.advance(1_000);
    expect(it.sent).toEqual([PINGREQ]);
    it.receive(PINGRESP);
    it.send(bytes([0x30, 5, 0, 1]));
    it.scheduler.advance(1_000);
    expect(it.sent).toEqual([PINGREQ]);
    it.send(bytes('abc'));
    expect(it.sent).toEqual([PINGREQ, PINGREQ]);
  });

  it('does not answer a pong', () => {
    const it = new Connected(answering(discord), { pingInterval: 1_000, pingTimeout: 2_000 });
    it.receive('{"op":10,"d":{"heartbeat_interval":41250}}');
    it.scheduler.advance(1_000);
    expect(it.receive('{"op":11}')).toBeUndefined();
    expect(it.sent).toEqual(['{"op":1,"d":null}']);
  });

  it('has no ping if it only observes', () => {
    expect(new Connected(observing(trpc)).dialect?.ping('1')).toBeUndefined();
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
    expect(it.receive(bytes([0xd0, 0, ...puback]).buffer)).toEqual(bytes(puback).buffer);
    it.scheduler.advance(1_000);
    expect(it.receive(PINGRESP)).toBeUndefined();
  });

  describe('under continuous messages of the server', () => {
    const PUBLISH = bytes([0x30, 4, 0, 1], 'a', [1]);

    it('waits for a pong behind messages that the server sends first', () => {
      const it = new Connected(mqtt, TIMING);
      it.receive(CONNACK);
      for (let count = 0; count < 60; count += 1) {
        it.scheduler.advance(50); // pingTimeout passes
        expect(it.receive(PUBLISH)).toBe(PUBLISH);
      }
      it.receive(PINGRESP);
      expect(it.named('dead')).toEqual([]);
      expect(it.driver.heartbeat.latency).toBe(3_000);
    });

    it('waits for a pong behind messages that it takes long to read after it was blocked', () => {
      const it = new Connected(mqtt, TIMING);
      it.receive(CONNACK);
      it.receive(PINGRESP);
      it.scheduler.advance(1_000); // pings
      it.scheduler.stall(10_000);
      it.scheduler.advance(0); // the overdue timers run before the backlog is read
      for (let count = 0; count < 1_600; count += 1) {
        it.receive(PUBLISH);
        it.scheduler.advance(5);
      }
      it.receive(PINGRESP);
      it.scheduler.advance(500);
      expect(it.named('dead')).toEqual([]);
      expect(it.named('stall')).toHaveLength(1);
    });
  });

  describe('an event', () => {
    const read = (it: Connected, event: MessageEvent) => it.dialect?.receive(event.data, event);

    it('is passed on as it is, or hidden', () => {
      const it = new Connected(trpc, TIMING);
      const message = eventOf('hello');
      expect(read(it, message)).toBe(message);
      expect(read(it, eventOf('PONG'))).toBeUndefined();
    });

    it('is replaced by a copy with the rest', () => {
      const it = new Connected(mqtt, TIMING);
      it.receive(CONNACK);
      const message = bytes([0xd0, 0, 0x40, 2, 0, 1]).buffer;
      expect(read(it, eventOf(message))).toEqual(eventOf(bytes([0x40, 2, 0, 1]).buffer));
    });

    it('is hidden if its dialect cannot cut messages', () => {
      const { cut: _, connect: __, ...definition } = mqtt;
      const it = new Connected(defineDialect(definition), TIMING);
      it.receive(CONNACK);
      const message = bytes([0xd0, 0, 0x40, 2, 0, 1]).buffer;
      expect(read(it, eventOf(message))).toBeUndefined();
    });
  });

  it('is made at any subprotocol if the dialect names none', () => {
    expect(new Connected(trpc, TIMING, { protocol: 'chat' }).dialect?.name).toBe('trpc');
  });

  it('is only made if the server has selected a subprotocol of the dialect, or none', () => {
    expect(new Connected(mqtt, TIMING, { protocol: 'chat' }).dialect).toBeUndefined();
    expect(new Connected(mqtt, TIMING, { protocol: 'mqtt' }).dialect?.name).toBe('mqtt');
    expect(new Connected(mqtt, TIMING, { protocol: '' }).dialect?.name).toBe('mqtt');
  });

  it('asks as a client in a bundle for pages, whatever its end', async () => {
    const page = await inPage(() => import('../../../src/protocol/dialects/phoenix.ts'));
    expect(new Connected(page.phoenix(), TIMING, { end: 'server' }).dialect?.asks).toBe(true);
  });
});
