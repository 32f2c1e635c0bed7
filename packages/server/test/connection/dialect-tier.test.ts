import {
  bySubprotocol,
  type DialectChoice,
  engineIo,
  graphql,
  stomp,
} from '@wirebeat/core/dialects';
import type { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/options.ts';
import { Stage, VirtualSocket } from '../virtual-server.ts';

const NATIVE_PING = '\u0005wb';
const LATENCY = 20;

/** The server's end of a connection whose client answers pings of graphql-transport-ws. */
class GraphqlSocket extends VirtualSocket {
  readonly protocol: string = 'graphql-transport-ws';
  isHung = false;
  #scheduler: VirtualScheduler;

  constructor(stage: Stage, protocol = 'graphql-transport-ws') {
    const { scheduler } = stage;
    const peer = { answersPings: true, answersBeats: false, latency: 1, lag: 0 };
    super(scheduler, peer, (what) => stage.note(what));
    this.#scheduler = scheduler;
    this.protocol = protocol;
    this.on('message', (data) => stage.note(`application: ${data}`));
  }

  override send(data: unknown, options?: unknown, sent?: () => void): void {
    super.send(data, options, sent);
    const text = String(data);
    if (this.isHung || !text.startsWith('{"type":"ping"')) return;
    const pong = text.replace('ping', 'pong');
    this.#scheduler.at(this.#scheduler.now() + LATENCY, () => this.receive(pong));
  }
}

function open(options: ServerOptions<VirtualSocket> = {}, protocol?: string) {
  const stage = new Stage({ dialect: graphql, ...options });
  const { heartbeat, server } = stage;
  heartbeat.on('unresponsive', ({ silentFor }) => stage.note(`unresponsive ${silentFor}`));
  heartbeat.on('responsive', () => stage.note('responsive'));
  const socket = new GraphqlSocket(stage, protocol);
  server.accept(socket);
  const connection = heartbeat.get(socket);
  if (connection === undefined) throw new Error('unreachable: it is open');
  return { stage, socket, connection };
}

describe('a server with a dialect', () => {
  it('measures the latency of the client in the dialect, and hides only its own pongs', () => {
    const { stage, socket, connection } = open();
    stage.advanceTo(50);
    expect(connection.applicationLatency).toBe(LATENCY);
    expect(connection.transportLatency).toBe(1);
    socket.receive('{"type":"pong"}'); // the answer to a ping of the server of the protocol
    socket.receive('{"type":"ping"}');
    expect(stage.lines(/application:/)).toEqual([
      '50 application: {"type":"pong"}',
      '50 application: {"type":"ping"}',
    ]);
  });

  it('pings each connection again and again, and sends it no ping of its own', () => {
    const { stage } = open();
    const latencies: number[] = [];
    stage.heartbeat.on('pong', ({ tier, latency }) => {
      if (tier === 'application') latencies.push(latency);
    });
    stage.advanceTo(100_000);
    expect(latencies.length).toBeGreaterThanOrEqual(4);
    expect(new Set(latencies)).toEqual(new Set([LATENCY]));
    expect(stage.lines(/\?wb|unresponsive/)).toEqual([]);
  });

  it('pings a client when it is asked to', async () => {
    const { stage, connection } = open();
    stage.advanceTo(50);
    const latency = connection.ping({ tier: 'application' });
    stage.advanceTo(100);
    expect(await latency).toBe(LATENCY);
  });

  it('emits `unresponsive` if only the client leaves a ping unanswered, and `responsive` afterwards', () => {
    const { stage, socket, connection } = open();
    stage.advanceTo(1_000);
    socket.isHung = true;
    stage.advanceTo(60_000);
    expect(stage.lines(/unresponsive/)).toHaveLength(1);
    expect(connection.isResponsive).toBe(false);
    expect(connection.status).toBe('alive'); // the transport tier answers
    stage.advanceTo(200_000);
    expect(stage.lines(/unresponsive|dead/)).toHaveLength(1);
    socket.isHung = false;
    socket.receive('{"type":"subscribe"}');
    expect(connection.isResponsive).toBe(true);
    const before = stage.lines(/sends {"type":"ping"/).length;
    stage.advanceTo(300_000);
    expect(stage.lines(/sends {"type":"ping"/).length).toBeGreaterThan(before);
    socket.isHung = true;
    stage.advanceTo(400_000);
    expect(stage.lines(/responsive/).map((line) => line.split(' ')[1])).toEqual([
      'unresponsive',
      'responsive',
      'unresponsive',
    ]);
  });

  it('declares a connection dead by its transport tier, and not unresponsive', () => {
    const { stage, socket } = open();
    stage.advanceTo(1_000);
    socket.isHung = true;
    socket.peer.answersPings = false;
    stage.advanceTo(100_000);
    expect(stage.lines(/unresponsive/)).toEqual([]);
    expect(stage.lines(/dead/)).toHaveLength(1);
  });

  it('waits for the transport tier before it calls a client unresponsive', () => {
    const { stage, socket } = open({ pingTimeout: 1_000 });
    stage.advanceTo(1_000);
    socket.isHung = true;
    socket.peer.answersPings = false;
    stage.advanceTo(29_500);
    expect(stage.lines(/sends {"type":"ping"/).length).toBeGreaterThan(1);
    expect(stage.lines(/unresponsive/)).toEqual([]);
    socket.receivePong(''); // the WebSocket layer alone
    expect(stage.lines(/unresponsive/)).toHaveLength(1);
  });

  it('pings no clients while the server drains', () => {
    const { stage } = open({ random: () => 0.9 });
    stage.advanceTo(1_000);
    const before = stage.lines(/sends {"type":"ping"/).length;
    void stage.heartbeat.drain({ within: 200_000 });
    stage.advanceTo(100_000);
    expect(stage.lines(/sends {"type":"ping"/)).toHaveLength(before);
  });

  it('closes an unresponsive client if the option says so', () => {
    const { stage, socket } = open({ whenUnresponsive: 'terminate' });
    stage.advanceTo(1_000);
    socket.isHung = true;
    stage.advanceTo(60_000);
    expect(stage.lines(/end: unresponsive/)).toHaveLength(1);
  });

  it('does not ping clients if `whenUnresponsive` is false', () => {
    const { stage, socket } = open({ whenUnresponsive: false });
    socket.isHung = true;
    stage.advanceTo(200_000);
    expect(stage.lines(/sends|unresponsive/)).toEqual([]);
  });

  it('judges a client that only listens by the silence that its protocol allows', () => {
    const { stage, socket, connection } = open({ dialect: stomp }, 'v12.stomp');
    socket.receive('CONNECT\nheart-beat:1000,0\n\n\0');
    socket.send('CONNECTED\nversion:1.2\nheart-beat:0,2000\n\n\0');
    for (let at = 1_000; at <= 20_000; at += 1_000) {
      stage.advanceTo(at);
      socket.receive('\n');
    }
    expect(stage.lines(/unresponsive/)).toEqual([]);
    stage.advanceTo(60_000); // its WebSocket layer still answers Pings
    const [line = '', ...more] = stage.lines(/unresponsive|dead/);
    expect(more).toEqual([]);
    const silentFor = Number(line.split(' ')[2]);
    expect(silentFor).toBeGreaterThanOrEqual(4_000);
    expect(silentFor).toBeLessThan(40_000);
    expect(connection.isResponsive).toBe(false);
    socket.receive('\n');
    expect(connection.isResponsive).toBe(true);
  });

  it('rejects a ping in a protocol in which the server sends none', async () => {
    const { connection } = open({ dialect: stomp }, 'v12.stomp');
    await expect(connection.ping({ tier: 'application' })).rejects.toMatchObject({
      code: 'ERR_FOREIGN_PROTOCOL',
      message: 'The protocol stomp has no place for pings',
    });
    expect(connection.applicationLatency).toBeUndefined();
  });

  it('holds its pings while the application sends a message in fragments', () => {
    const { stage, socket } = open({ dialect: engineIo }, '');
    stage.advanceTo(1_000);
    const fragment = (text: string, fin: boolean) => socket.send(text, { fin });
    fragment('4one', false);
    stage.advanceTo(200_000);
    expect(stage.lines(/^\d+ sends 2/).filter((line) => !line.startsWith('0 '))).toEqual([]);
    fragment('two', true);
    expect(stage.lines(/^200000 sends/)).toEqual(['200000 sends two', '200000 sends 2']);
  });

  it('has its own heartbeat with clients of other subprotocols', () => {
    const choices: DialectChoice[] = [graphql, bySubprotocol(graphql, stomp)];
    for (const dialect of choices) {
      const { stage, socket, connection } = open({ dialect }, 'chat');
      socket.receive(NATIVE_PING);
      stage.advanceTo(1_000);
      expect(stage.lines(/sends {/)).toEqual([]);
      expect(stage.lines(/sends !wb/)).toHaveLength(1);
      expect(connection.isResponsive).toBe(true);
    }
  });

  it('follows `update` from the next ping on', () => {
    const { stage } = open({ advertise: { pingInterval: 25_000 } });
    stage.advanceTo(1_000);
    stage.heartbeat.update({ pingInterval: 5_000 });
    stage.advanceTo(100_000);
    expect(stage.lines(/sends {"type":"ping"/).length).toBeGreaterThan(10);
  });

  it('restores the socket when it is detached', () => {
    const { stage, socket, connection } = open();
    stage.advanceTo(50);
    connection.detach();
    expect(Object.hasOwn(socket, 'emit')).toBe(false);
    expect(Object.hasOwn(socket, 'send')).toBe(false);
    socket.receive('{"type":"pong","payload":{"wirebeat":"x"}}');
    expect(stage.lines(/application:/)).toHaveLength(1);
    stage.advanceTo(100_000);
    expect(stage.lines(/sends/)).toHaveLength(1);
  });
});
