// I. Fette, A. Melnikov, "The WebSocket Protocol", RFC 6455.
import { describe, expect, it } from 'vitest';
import { CloseCode } from '../../src/close-code.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { decodeBeat, encodeBeat, MAX_BEAT_BYTES } from '../../src/protocol/beat.ts';

describe('§5.5: control frames', () => {
  it('a beat is no longer than the payload of one: 125 bytes', () => {
    expect(MAX_BEAT_BYTES).toBe(125);
    const long = { a: 'x'.repeat(24), b: 'x'.repeat(24), c: 'x'.repeat(24), d: 'x'.repeat(24) };
    const beat = { type: 'ping', id: 'x'.repeat(1), values: { ...long, e: '1' } } as const;
    expect(encodeBeat(beat).length).toBeLessThanOrEqual(125);
    expect(decodeBeat(`${encodeBeat(beat)};f=${'x'.repeat(24)}`)).toBeUndefined();
  });
});

describe('§5.5.2: Ping', () => {
  it('upon receipt of a Ping an endpoint must send a Pong in response', () => {
    const heartbeat = new Heartbeat();
    heartbeat.open(0);
    expect(heartbeat.receivePing(1)).toEqual([{ type: 'pong', id: undefined }]);
  });
});

describe('§5.5.3: Pong', () => {
  it('it has what the Ping had that it answers', () => {
    const heartbeat = new Heartbeat();
    heartbeat.open(0);
    expect(heartbeat.receivePing(1, 'abc')).toEqual([{ type: 'pong', id: 'abc' }]);
  });

  it('it may answer only the most recent Ping: then the earlier ones are answered too', () => {
    const heartbeat = new Heartbeat();
    heartbeat.open(0);
    const [first] = heartbeat.ping(0);
    heartbeat.ping(10);
    expect(first).toMatchObject({ seq: 1 });
    expect(heartbeat.receivePong(30, '2')).toMatchObject({ seq: 2, latency: 20 });
    expect(heartbeat.receivePong(31, '1')).toBeUndefined();
  });

  it('an unsolicited one asks for no response, and is no answer', () => {
    const heartbeat = new Heartbeat();
    heartbeat.open(0);
    expect(heartbeat.receivePong(1)).toBeUndefined();
    expect(heartbeat.latency).toBeUndefined();
  });
});

describe('§7.4: close codes', () => {
  it('a page may send what wirebeat sends for a timeout: 1000 or 3000 to 4999', () => {
    expect(CloseCode.Timeout).toBeGreaterThanOrEqual(3000);
    expect(CloseCode.Timeout).toBeLessThanOrEqual(4999);
  });
});
