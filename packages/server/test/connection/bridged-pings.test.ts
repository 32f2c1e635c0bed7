import { describe, expect, it } from 'vitest';
import { BridgedPings, type PageBeat } from '../../src/connection/bridged-pings.ts';

/** Pings that are bridged one by one; the payload of a Ping is the id of its ping. */
function start() {
  const log: string[] = [];
  const pings: BridgedPings = new BridgedPings((ping) => {
    const payload = ping.beat.id ?? 'bare';
    log.push(payload);
    pings.sent({ payload, id: payload, ping, sentAt: 0 });
  });
  const ask = (id?: string) => pings.ask({ beat: { type: 'ping', id }, received: 0 });
  /** The id of the ping that is answered. */
  const answer = (payload: string): string | undefined => {
    const ping: PageBeat | undefined = pings.answer(payload)?.last?.ping;
    pings.askLater();
    return ping && (ping.beat.id ?? 'bare');
  };
  return { log, pings, ask, answer };
}

describe('BridgedPings', () => {
  it('answers each ping when its Pong comes', () => {
    const { log, pings, ask, answer } = start();
    for (const id of ['a', 'b', undefined]) ask(id);
    expect(log).toEqual(['a', 'b', 'bare']);
    expect(['a', 'b', 'bare'].map(answer)).toEqual(['a', 'b', 'bare']);
    expect(pings.isEmpty).toBe(true);
    expect(answer('a')).toBeUndefined(); // unsolicited
  });

  it('takes a Pong for the answer to all Pings before it too', () => {
    const { pings, ask, answer } = start();
    for (const id of ['a', 'b', 'c']) ask(id);
    expect(answer('b')).toBe('b');
    expect(answer('a')).toBeUndefined();
    pings.sent({ payload: 'own', id: 'own', ping: undefined, sentAt: 0 });
    expect(answer('own')).toBe('c');
  });

  it('lets at most 16 Pings wait, and a later ping stand for those that had to wait', () => {
    const { log, ask, answer } = start();
    for (let id = 1; id <= 30; id += 1) ask(String(id));
    expect(log).toHaveLength(16);
    expect(answer('1')).toBe('1');
    expect(log.slice(16)).toEqual(['30']);
    expect(answer('30')).toBe('30');
    expect(log).toHaveLength(17);
  });

  it('lets a bare ping stand for bare ones only', () => {
    const { log, ask, answer } = start();
    for (let id = 1; id <= 16; id += 1) ask(String(id));
    for (const id of [undefined, 'x', undefined, undefined]) ask(id);
    answer('2');
    expect(log.slice(16)).toEqual(['x', 'bare']);
  });

  it('drops a Ping of its own before one that was sent for the client', () => {
    const { pings, ask, answer } = start();
    ask('a');
    for (let count = 0; count < 20; count += 1) {
      pings.sent({ payload: `own ${count}`, id: undefined, ping: undefined, sentAt: 0 });
    }
    expect(pings.answer('own 3')).toBeUndefined(); // dropped
    expect(answer('a')).toBe('a');
  });

  it('drops all of them', () => {
    const { log, pings, ask, answer } = start();
    for (let id = 1; id <= 20; id += 1) ask(String(id));
    pings.clear();
    expect(pings.isEmpty).toBe(true);
    expect(answer('1')).toBeUndefined();
    expect(log).toHaveLength(16);
  });
});
