import { VirtualScheduler } from '@wirebeat/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeHeartbeat } from '../../src/runtime/runtime-heartbeat.ts';
import type { RuntimeOptions } from '../../src/runtime/runtime-options.ts';
import type { RuntimePort } from '../../src/runtime/runtime-port.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const TIMING = { pingInterval: 10_000, pingTimeout: 5_000, jitter: 0, advertise: false } as const;

/** A socket of a runtime that only notes what is done with it. */
class Raw {
  readonly done: string[] = [];
}

const SENDS: RuntimePort<Raw> = {
  send: (raw, text) => raw.done.push(`sends ${text}`),
  close: (raw, code, reason) => raw.done.push(`closes ${code} ${reason}`),
};
const PINGS: RuntimePort<Raw> = {
  ...SENDS,
  ping: (raw, payload) => raw.done.push(`Ping ${payload}`),
  terminate: (raw) => raw.done.push('terminates'),
};

let scheduler = new VirtualScheduler();
beforeEach(() => {
  scheduler = new VirtualScheduler();
});

function heartbeatOver(port: RuntimePort<Raw>, options: RuntimeOptions<Raw, string> = {}) {
  const heartbeat = new RuntimeHeartbeat<Raw, string>(port, { ...TIMING, scheduler, ...options });
  const raw = new Raw();
  return { heartbeat, raw };
}

/** The id of the last application ping that was sent. */
function lastPing({ done }: Raw): string {
  return done.findLast((line) => line.includes(PING))?.split('\u0005')[1] ?? '';
}

describe('a RuntimeHeartbeat', () => {
  it('takes pings, answers them, and leaves other messages to the application', () => {
    const { heartbeat, raw } = heartbeatOver(PINGS);
    heartbeat.opened(raw);
    expect(heartbeat.message(raw, PING)).toBe(true);
    expect(heartbeat.message(raw, `${PING} `)).toBe(false);
    expect(heartbeat.message(raw, new Uint8Array([5, 0x77, 0x62]))).toBe(false);
    expect(raw.done).toContain(`sends ${PONG}`);
  });

  it('names the socket of the runtime in events, in its map and to the hooks', () => {
    const asked: unknown[] = [];
    const { heartbeat, raw } = heartbeatOver(PINGS, {
      session: { user: (socket, request) => asked.push(socket, request) },
    });
    const ended: unknown[] = [];
    heartbeat.on('end', ({ socket, reason }) => ended.push(socket, reason));
    heartbeat.opened(raw, 'request');
    heartbeat.message(raw, `${PING}.1;session=AAAAAAAAAAAAAAAAAAAAAA`);
    expect(asked).toEqual([raw, 'request']);
    expect([...heartbeat.connections.keys()]).toEqual([raw]);
    heartbeat.closed(raw, 1001, 'bye');
    heartbeat.closed(raw, 1006, '');
    expect(ended).toEqual([raw, 'closed']);
    expect(heartbeat.connections.size).toBe(0);
  });

  it('terminates a client that answers no Ping', () => {
    const { heartbeat, raw } = heartbeatOver(PINGS);
    const reasons: string[] = [];
    heartbeat.on('dead', ({ reason }) => reasons.push(reason));
    const connection = heartbeat.opened(raw);
    scheduler.advance(connection?.detectionBound ?? 0);
    expect(reasons).toEqual(['ping-timeout']);
    expect(raw.done.at(-1)).toBe('terminates');
  });

  it('takes the Pongs to its Pings and no others', () => {
    const { heartbeat, raw } = heartbeatOver(PINGS);
    const connection = heartbeat.opened(raw);
    const payload = raw.done[0]?.slice('Ping '.length) ?? '';
    scheduler.advance(7);
    expect(heartbeat.pinged(raw)).toBe(false);
    expect(heartbeat.ponged(raw, new TextEncoder().encode('other'))).toBe(false);
    expect(heartbeat.ponged(raw, new TextEncoder().encode(payload))).toBe(true);
    expect(connection?.transportLatency).toBe(7);
  });

  it('takes nothing more after detach, and sends nothing more', () => {
    const { heartbeat, raw } = heartbeatOver(PINGS);
    heartbeat.opened(raw);
    heartbeat.detach();
    const { length } = raw.done;
    expect(heartbeat.message(raw, PING)).toBe(false);
    scheduler.advance(100_000);
    expect(raw.done).toHaveLength(length);
    expect(heartbeat.opened(new Raw())).toBeUndefined();
  });

  it('calls a listener no more after off', () => {
    const { heartbeat, raw } = heartbeatOver(PINGS);
    const ended: unknown[] = [];
    const listener = () => ended.push('end');
    heartbeat.on('end', listener).off('end', listener);
    heartbeat.opened(raw);
    heartbeat.closed(raw, 1000, '');
    expect(ended).toEqual([]);
  });

  it.each([
    [{ pingInterval: -1 }, /`pingInterval`/],
    [{ pingIntervall: 1 }, /`pingIntervall`/],
    [{ authenticated: 1 }, /`authenticated`/],
    [{ session: { user: 1 } }, /`user`/],
    [{ dialect: {} }, /`dialect` to be absent/],
    [null, /options/],
  ])('refuses bad options with one sentence: %j', (options, words) => {
    expect(() => new RuntimeHeartbeat(PINGS, options as never)).toThrow(words);
  });
});

describe('on a runtime that can send no Ping, a RuntimeHeartbeat', () => {
  it('refuses to answer once a Pong has come', () => {
    const answer = { answer: 'bridge' } as const;
    expect(() => new RuntimeHeartbeat(SENDS, answer)).toThrow(
      'Expected `answer` to be `local`, because this runtime cannot send protocol Pings',
    );
    expect(() => new RuntimeHeartbeat(PINGS, answer)).not.toThrow();
  });

  it('sends nothing to a client that sends no application ping, and does not judge it', () => {
    const { heartbeat, raw } = heartbeatOver(SENDS);
    const connection = heartbeat.opened(raw);
    heartbeat.message(raw, 'hello');
    scheduler.advance(10 * (connection?.detectionBound ?? 0));
    expect(raw.done).toEqual([]);
    expect(connection?.status).toBe('alive');
  });

  it('sends application pings to others, measures them, and ends who does not answer', () => {
    const { heartbeat, raw } = heartbeatOver(SENDS);
    const connection = heartbeat.opened(raw);
    heartbeat.message(raw, `${PING}.1`);
    const asked = lastPing(raw);
    expect(asked).toMatch(/^wb\.wb-t/);
    scheduler.advance(9);
    expect(heartbeat.message(raw, `\u0006${asked}`)).toBe(true);
    expect(connection?.transportLatency).toBeGreaterThanOrEqual(9);
    const reasons: string[] = [];
    heartbeat.on('dead', ({ reason }) => reasons.push(reason));
    scheduler.advance(connection?.detectionBound ?? 0);
    expect(reasons).toEqual(['ping-timeout']);
    expect(raw.done.at(-1)).toBe('closes 3008 terminated');
  });

  it('keeps what a connection still receives after its end from the application', () => {
    const port = { ...SENDS, ping: PINGS.ping } as RuntimePort<Raw>; // but not `terminate`
    const { heartbeat, raw } = heartbeatOver(port);
    const [later, terminated] = [new Raw(), new Raw()];
    const first = `${PING}.1;session=AAAAAAAAAAAAAAAAAAAAAA`;
    const ended: string[] = [];
    heartbeat.on('end', ({ reason }) => ended.push(reason));
    heartbeat.opened(raw);
    heartbeat.message(raw, first);
    heartbeat.opened(later);
    heartbeat.message(later, first);
    const connection = heartbeat.opened(terminated);
    scheduler.advance(1);
    connection?.terminate();
    scheduler.advance(connection?.detectionBound ?? 0); // so that `later` is declared dead
    expect(ended).toEqual(['replaced', 'closed', 'ping-timeout']);
    const { length } = raw.done;
    for (const socket of [raw, later, terminated]) {
      expect(heartbeat.message(socket, 'late')).toBe(true);
      expect(heartbeat.message(socket, new Uint8Array(3))).toBe(true);
      expect(heartbeat.message(socket, PING)).toBe(true);
      expect(heartbeat.pinged(socket)).toBe(true);
      expect(heartbeat.ponged(socket, new TextEncoder().encode('other'))).toBe(true);
    }
    expect(raw.done).toHaveLength(length);
  });

  it('does not judge a page that has reported that it is frozen, until it speaks again', () => {
    const { heartbeat, raw } = heartbeatOver(SENDS);
    const connection = heartbeat.opened(raw);
    heartbeat.message(raw, `${PING}.1`);
    heartbeat.message(raw, `\u0006${lastPing(raw)}`);
    heartbeat.message(raw, `${PING}.2;state=frozen`);
    scheduler.advance(10 * (connection?.detectionBound ?? 0));
    expect(connection?.status).toBe('alive');
    heartbeat.message(raw, `${PING}.3;state=visible`);
    scheduler.advance(2 * (connection?.detectionBound ?? 0));
    expect(connection?.status).toBe('dead');
  });
});
