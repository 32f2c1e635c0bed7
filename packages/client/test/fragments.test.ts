import { FakeSocket, VirtualScheduler } from '@wirebeat/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RUNS } from '../../core/test/simulation.ts';
import { attachHeartbeat } from '../src/attach.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';

/** A heartbeat over a socket that sends in fragments as that of `ws` does, and a peer that answers. */
function open() {
  const manners = { answers: true };
  const scheduler = new VirtualScheduler();
  const socket = new FakeSocket(scheduler);
  const peer = new FakeSocket(scheduler);
  const heartbeat = attachHeartbeat(socket, { scheduler, random: () => 0, lifecycle: false });
  peer.addEventListener('message', ({ data }) => {
    const text = String(data);
    if (manners.answers && text.startsWith(PING)) peer.send(`\u0006${text.slice(1)}`);
  });
  FakeSocket.join(socket, peer);
  scheduler.advance(10);
  const part = (text: string, fin: boolean) => {
    (socket.send as (data: string, options: object) => void)(text, { fin });
  };
  return { manners, scheduler, socket, peer, heartbeat, part };
}

describe('while the application sends a message in fragments', () => {
  it('pings and pongs wait for its end', async () => {
    const { scheduler, socket, peer, heartbeat, part } = open();
    const before = socket.sentMessages.length;
    const since = () => socket.sentMessages.slice(before);
    part('one', false);
    const latency = heartbeat.ping();
    for (const id of ['a', 'b']) peer.send(`${PING}.${id}`);
    scheduler.advance(100);
    expect(since()).toEqual(['one']);
    part('two', true);
    scheduler.advance(100);
    await latency;
    const [, , ...beats] = since().map(String);
    expect(beats.filter((text) => text.startsWith(PONG))).toEqual([`${PONG}.b`]);
    expect(beats.filter((text) => text.startsWith(PING)).length).toBeGreaterThan(0);
    expect(heartbeat.status).toBe('alive');
  });

  it('the first ping of the connection waits too, and is sent as it was', () => {
    const scheduler = new VirtualScheduler();
    const socket = new FakeSocket(scheduler);
    const part = (fin: boolean) => (socket.send as (...args: unknown[]) => void)('x', { fin });
    const heartbeat = attachHeartbeat(socket, { scheduler, random: () => 0, lifecycle: false });
    heartbeat.on('alive', () => part(false)); // it comes before the first ping
    FakeSocket.join(socket, new FakeSocket(scheduler));
    scheduler.advance(60_000);
    expect(socket.sentMessages).toEqual(['x']);
    part(true);
    expect(socket.sentMessages.slice(0, 3)).toEqual(['x', 'x', `${PING}.1;v=1`]);
  });

  it('a peer is not judged by a ping that has not been sent', () => {
    const { manners, scheduler, socket, heartbeat, part } = open();
    part('one', false);
    scheduler.advance(600_000);
    expect(heartbeat.status).toBe('alive');
    part('two', true);
    scheduler.advance(1_000);
    expect(heartbeat.status).toBe('alive');
    expect(String(socket.sentMessages.at(-1))).toContain(PING);
    manners.answers = false;
    part('three', false);
    scheduler.advance(600_000);
    part('four', true);
    scheduler.advance(21_000);
    expect(heartbeat.status).toBe('dead'); // it is judged from there
  });

  it('nothing of ours comes between the fragments, whatever happens when', () => {
    const step = fc.constantFrom('part', 'last', 'pinged', 'ask', 'probe', 'second', 'minute');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { scheduler, socket, peer, heartbeat, part } = open();
        let isMid = false;
        let pinged = 0;
        for (const what of steps) {
          const { length } = socket.sentMessages;
          const wasMid = isMid;
          if (what === 'part' || what === 'last') part('text', what === 'last');
          else if (what === 'pinged') {
            pinged += 1;
            peer.send(`${PING}.${pinged}`);
          } else if (what === 'ask') heartbeat.ping().catch(() => {});
          else if (what === 'probe') heartbeat.probe();
          else scheduler.advance(what === 'second' ? 1_000 : 60_000);
          scheduler.advance(1);
          if (what === 'part') isMid = true;
          if (what === 'last') isMid = false;
          if (!isMid) continue;
          const sent = socket.sentMessages.slice(length);
          const since = wasMid ? sent : sent.slice(sent.indexOf('text')); // a ping may go before
          expect(since.filter((text) => text !== 'text')).toEqual([]);
        }
        if (isMid) part('text', true);
        scheduler.advance(1_000);
        if (pinged > 0) expect(socket.sentMessages).toContain(`${PONG}.${pinged}`);
        expect(heartbeat.status).toBe('alive');
      }),
      { numRuns: RUNS },
    );
  });
});
