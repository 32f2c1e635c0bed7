import { describe, expect, it } from 'vitest';
import {
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
import { bytes } from './bytes.ts';
import { Connected } from './connected.ts';

const TIMING = { pingInterval: 1_000, pingTimeout: 2_000 };

describe('defineDialect', () => {
  it('makes a dialect of a definition', () => {
    const { connect: _, ...definition } = graphql;
    const it = new Connected(defineDialect(definition), TIMING);
    expect(it.dialect?.name).toBe('graphql');
    expect(it.sent).toHaveLength(1);
  });

  it('lets its first ping wait if it asks for that', () => {
    const { connect: _, ...definition } = discord;
    const it = new Connected(defineDialect(definition), TIMING);
    it.receive('{"op":10,"d":{"heartbeat_interval":41250}}');
    expect(it.sent).toEqual([]);
    it.scheduler.advance(1_000);
    expect(it.sent).toEqual(['{"op":1,"d":null}']);
  });

  it('gives it everything that a dialect may need', () => {
    const { connect: _, ...definition } = stomp;
    const it = new Connected(defineDialect(definition), {}, { end: 'server' });
    it.receive('CONNECT\nheart-beat:1000,1000\n\n\0');
    it.send('CONNECTED\nheart-beat:1000,1000\n\n\0');
    expect(it.driver.heartbeat.maxSilence).toBe(2_000);
    const { connect: __, ...asking } = mqtt;
    const held = new Connected(defineDialect(asking), { pingInterval: 1_000, pingTimeout: 2_000 });
    held.receive(bytes([0x20, 2, 0, 0]));
    held.receive(bytes([0xd0, 0]));
    held.send(bytes([0x30, 5, 0]));
    held.scheduler.advance(60_000);
    expect(held.sent).toHaveLength(1);
    held.send(bytes([1], 'abc'));
    expect(held.sent).toHaveLength(2);
  });

  it('is used if no subprotocol, or its own, was negotiated, and not with another', () => {
    const used = (dialect: typeof mqtt, protocol: string) =>
      new Connected(dialect, {}, { protocol }).dialect !== undefined;
    expect(used(mqtt, '')).toBe(true);
    expect(used(mqtt, 'mqtt')).toBe(true);
    expect(used(mqtt, 'graphql-ws')).toBe(false);
    expect(used(trpc, 'chat')).toBe(true); // it belongs to none
  });
});

describe('answering', () => {
  it('answers the pings of the peer, and hides all beats', () => {
    const it = new Connected(answering(engineIo));
    expect(it.receive('2')).toBeUndefined();
    expect(it.sent).toEqual(['3']);
  });
});

describe('observing', () => {
  it('sends nothing, and times the pings of the application', () => {
    const it = new Connected(observing(trpc), TIMING);
    it.driver.probe(100);
    it.scheduler.advance(60_000);
    it.send('PING');
    it.scheduler.advance(40);
    expect(it.receive('PONG')).toBe('PONG');
    expect(it.sent).toEqual([]);
    expect(it.dialect?.asks).toBe(false);
    expect(it.driver.heartbeat.latency).toBe(40);
    expect(it.named('pong')).toEqual([{ id: '', latency: 40, sampled: true }]);
    it.receive('PONG'); // answers nothing
    expect(it.named('pong')).toHaveLength(1);
  });

  it('takes only a ping of the application for one, and leaves those of the peer to it', () => {
    const it = new Connected(observing(trpc), TIMING);
    expect(it.dialect?.ping('1')).toBeUndefined();
    it.send('hello');
    it.scheduler.advance(60_000);
    expect(it.status).toBe('alive');
    expect(it.receive('PING')).toBe('PING');
    expect([it.sent, it.named('pong')]).toEqual([[], []]);
  });

  it('finds a link dead if a ping of the application stays unanswered for `pingTimeout`', () => {
    const it = new Connected(observing(trpc), TIMING);
    it.scheduler.advance(10_000);
    it.send('PING');
    it.scheduler.advance(1_500);
    it.send('PING');
    it.scheduler.advance(499);
    expect(it.status).toBe('alive');
    it.scheduler.advance(300);
    expect(it.named('dead')).toMatchObject([{ silentFor: 12_250 }]);
  });

  it('forgives a ping if anything is received', () => {
    const it = new Connected(observing(trpc), TIMING);
    it.send('PING');
    it.scheduler.advance(1_900);
    it.receive('data');
    it.scheduler.advance(60_000);
    expect(it.status).toBe('alive');
  });

  it('takes no sample of a pong that may have waited on this side', () => {
    const it = new Connected(observing(trpc), TIMING);
    it.send('PING');
    it.scheduler.stall(10_000); // the timer is overdue and has not run yet
    it.receive('PONG');
    expect(it.named('pong')).toMatchObject([{ latency: 10_000, sampled: false }]);
    expect(it.driver.heartbeat.latency).toBeUndefined();
    it.send('PING');
    it.scheduler.advance(40);
    it.receive('PONG');
    expect(it.driver.heartbeat.latency).toBe(40);
  });

  it('ignores a pong to a ping that it has not seen', () => {
    const pong = { kind: 'pong', id: 'unknown', isOurs: false } as const;
    const it = new Connected(
      observing({
        ...trpc,
        open: () => ({
          ready: true,
          timing: {},
          ping: () => undefined,
          sent: () => undefined,
          receive: (message) => ({ beats: [pong], rest: message }),
        }),
      }),
    );
    expect(it.receive('PONG')).toBe('PONG');
    expect(it.named('pong')).toEqual([]);
  });

  it('times 16 pings at most', () => {
    const it = new Connected(observing(phoenix()), TIMING);
    for (let ref = 1; ref <= 20; ref += 1) it.send(`[null,"${ref}","phoenix","heartbeat",{}]`);
    for (let ref = 1; ref <= 20; ref += 1) {
      it.receive(`[null,"${ref}","phoenix","phx_reply",{"status":"ok","response":{}}]`);
    }
    expect(it.named('pong').length).toBeLessThanOrEqual(16);
  });

  it('is not used with another subprotocol', () => {
    const it = new Connected(observing(graphql), {}, { protocol: 'graphql-ws' });
    expect(it.dialect).toBeUndefined();
  });

  it('judges a peer that promised to send', () => {
    const it = new Connected(observing(engineIo));
    it.receive('0{"pingInterval":250,"pingTimeout":200}');
    it.scheduler.advance(1_200);
    expect(it.status).toBe('dead');
  });
});
