import { ConnectionClosedError, QueueOverflowError } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import type { ReconnectOptions } from '../src/reconnect-options.ts';
import { minimalPeer, sessionServer, silentPeer } from './fake-server.ts';
import { dialOpen, eventsOf, type Stage, settle } from './stage.ts';

const confirmed = (stage: Stage) => stage.server.links.map(({ received }) => received);

/** Open, with its first pong received, and everything sent kept until it is confirmed. */
function keeping(options: ReconnectOptions = {}): Stage {
  return dialOpen('ws', { confirm: true, ...options });
}

/** The outcome of a promise, once it has one. */
function watch(promise: Promise<unknown>): { outcome?: unknown } {
  const seen: { outcome?: unknown } = {};
  promise.then(
    () => (seen.outcome = 'flushed'),
    (error) => (seen.outcome = error),
  );
  return seen;
}

describe('the delivery watermark', () => {
  it('asks by a ping with an id, behind the message', () => {
    const { server, socket, scheduler } = keeping();
    socket.send('a');
    expect(server.last.wire.sentMessages.slice(-2)).toEqual(['a', '\u0005wb._1']);
    expect(socket.unconfirmed).toEqual(['a']);
    scheduler.advance(20);
    expect(socket.unconfirmed).toEqual([]);
  });

  it('asks for many messages at once, a second after the last time', () => {
    const { server, socket, scheduler } = keeping();
    for (const message of ['a', 'b', 'c']) socket.send(message);
    scheduler.advance(999);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1']);
    expect(socket.unconfirmed).toEqual(['b', 'c']);
    scheduler.advance(1);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1', '\u0005wb._3']);
    scheduler.advance(20);
    expect(socket.unconfirmed).toEqual([]);
    scheduler.advance(10_000);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1', '\u0005wb._3']);
  });

  it('asks earlier where half of the bounds is taken, but not twice at a time', () => {
    const { server, socket, scheduler } = keeping({ maxQueuedMessages: 4 });
    for (const message of ['a', 'b', 'c', 'd']) socket.send(message);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1']);
    scheduler.advance(20);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1', '\u0005wb._4']);
    scheduler.advance(20);
    expect(socket.unconfirmed).toEqual([]);
  });

  it('holds what is unconfirmed within the bounds of the queue', () => {
    const { server, socket } = keeping({ maxQueuedMessages: 2 });
    server.last.cut();
    socket.send('a');
    socket.send('b');
    expect(() => socket.send('c')).toThrow(QueueOverflowError);
    expect(socket.bufferedAmount).toBe(0);
  });

  it('is moved by any pong to a ping with an id, and by no bare one', () => {
    const { server, socket, scheduler } = keeping();
    socket.send('a');
    scheduler.advance(20);
    server.answer = silentPeer;
    scheduler.advance(1_000);
    socket.send('b');
    server.last.peer.send('\u0006wb');
    scheduler.advance(20);
    expect(socket.unconfirmed).toEqual(['b']);
    server.answer = minimalPeer;
    void socket.ping({ id: 'mine' });
    scheduler.advance(20);
    expect(socket.unconfirmed).toEqual([]);
  });

  it('takes the place of the ping that a message into silence brings', () => {
    const { server, socket, scheduler } = keeping();
    scheduler.advance(5_000);
    socket.send('a');
    expect(server.last.wire.sentMessages.slice(-2)).toEqual(['a', '\u0005wb._1']);
  });
});

describe('flushed()', () => {
  it('resolves at once where all is confirmed, and otherwise with the pong', async () => {
    const { socket, scheduler } = dialOpen();
    await socket.flushed();
    socket.send('a');
    const seen = watch(socket.flushed());
    scheduler.advance(19);
    await settle();
    expect(seen).toEqual({});
    scheduler.advance(1);
    await settle();
    expect(seen.outcome).toBe('flushed');
    await socket.flushed();
  });

  it('says whose WebSocket layer has read it', async () => {
    const { server, socket, scheduler } = dialOpen();
    const flush = async () => {
      socket.send('a');
      const flushed = socket.flushed();
      scheduler.advance(20);
      return [await flushed, await socket.flushed()];
    };
    expect(await flush()).toEqual([{ by: 'server' }, { by: 'server' }]);
    server.answer = (text) => `${minimalPeer(text)};by=somebody`;
    expect(await flush()).toEqual([{ by: 'server' }, { by: 'server' }]);
    server.answer = (text) => `${minimalPeer(text)};by=gateway`;
    expect(await flush()).toEqual([{ by: 'gateway' }, { by: 'gateway' }]);
  });

  it('waits for what is queued too', async () => {
    const { server, socket, scheduler } = dialOpen();
    server.last.reset();
    socket.send('queued');
    const seen = watch(socket.flushed());
    scheduler.advance(250 + 10 + 19);
    await settle();
    expect(seen).toEqual({});
    scheduler.advance(1);
    await settle();
    expect(seen.outcome).toBe('flushed');
  });

  it('rejects where the connection ends before, for it can no longer be known', async () => {
    const { server, socket, scheduler } = dialOpen();
    socket.send('a');
    const seen = watch(socket.flushed());
    server.last.reset();
    await settle();
    expect(seen.outcome).toBeInstanceOf(ConnectionClosedError);
    scheduler.advance(1_000);
    await socket.flushed(); // what comes after is another matter
  });

  it('waits for the next connection where messages are sent again, and rejects after close()', async () => {
    for (const [end, outcome] of [
      [() => {}, 'flushed'],
      [(socket: Stage['socket']) => socket.close(), expect.any(ConnectionClosedError)],
    ] as const) {
      const { server, socket, scheduler } = keeping({ resend: 'unconfirmed' });
      server.last.cut();
      socket.send('a');
      const seen = watch(socket.flushed());
      server.last.reset();
      await settle();
      expect(seen).toEqual({});
      end(socket);
      scheduler.advance(1_000);
      await settle();
      expect(seen.outcome).toEqual(outcome);
      expect(scheduler.pending).toBeLessThan(2); // the heartbeat's own
    }
  });
});

describe('what a lost connection did not confirm', () => {
  it('is handed back until the next open', () => {
    const { server, socket, scheduler, log } = keeping();
    let atClose: unknown;
    socket.addEventListener('close', () => (atClose = socket.unconfirmed));
    socket.send('arrived');
    scheduler.advance(20);
    server.last.cut();
    socket.send('lost');
    server.last.reset();
    socket.send('queued');
    expect(atClose).toEqual(['lost']);
    expect(socket.unconfirmed).toEqual(['lost']);
    scheduler.advance(290);
    expect(socket.unconfirmed).toEqual([]);
    expect(confirmed({ server } as Stage)).toEqual([['arrived'], ['queued']]);
    expect(eventsOf(log, 'drop')).toEqual([]);
  });

  it('is sent again before what was queued, and after what a listener of open sends', () => {
    const { server, socket, scheduler } = keeping({ resend: 'unconfirmed' });
    socket.addEventListener('open', () => socket.send('hello'));
    server.last.cut();
    socket.send('1');
    socket.send('2');
    server.last.reset();
    socket.send('3');
    scheduler.advance(300);
    expect(server.last.received).toEqual(['hello', '1', '2', '3']);
    expect(socket.unconfirmed).toEqual([]);
  });

  it('is sent again on a connection that replaces a suspect one', () => {
    const { server, socket, scheduler } = keeping({ resend: 'unconfirmed' });
    server.answer = sessionServer();
    socket.reconnect();
    scheduler.advance(2_000);
    server.last.cut();
    socket.send('1'); // suspect 1 000 ms later, replaced 280 ms after that
    scheduler.advance(1_100);
    socket.send('2');
    scheduler.advance(1_000);
    expect(server.last.received).toEqual(['1', '2']);
  });

  it('repeats what did arrive if its confirmation did not', () => {
    const { server, socket, scheduler } = keeping({ resend: 'unconfirmed' });
    socket.send('1');
    scheduler.advance(10); // it is there; its pong is not
    server.last.reset();
    scheduler.advance(300);
    expect(confirmed({ server } as Stage)).toEqual([['1'], ['1']]);
  });

  it('is the message as it was when it was sent', () => {
    const { server, socket, scheduler } = keeping({ resend: 'unconfirmed' });
    server.last.cut();
    const bytes = new Uint8Array([1, 2, 3]);
    socket.send(bytes);
    bytes.fill(9);
    server.last.reset();
    scheduler.advance(300);
    expect(server.last.received).toEqual([new Uint8Array([1, 2, 3])]);
  });
});

it('queues what is sent while the socket is closing by itself, for that would be lost without a word', () => {
  for (const confirm of [false, true]) {
    const { server, socket, scheduler } = dialOpen('ws', { confirm });
    const [link] = server.links;
    if (link !== undefined) link.wire.readyState = 2; // the server's Close has come, the event not yet
    socket.send('a');
    server.last.reset();
    scheduler.advance(300);
    expect(server.last.received).toEqual(['a']);
  }
});

it('keeps nothing that is sent unless it is asked to', () => {
  const { socket, server } = dialOpen();
  server.last.cut();
  socket.send('a');
  expect(socket.unconfirmed).toEqual([]);
});
