import { ConnectionClosedError, QueueOverflowError } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { prepareWith } from '../../src/reconnect/prepare-with.ts';
import { minimalPeer, sessionServer, silentPeer } from '../fake-server.ts';
import { eventsOf, settle } from '../stage.ts';
import { dial, dialOpen, type Options, type Stage } from './delivery-stage.ts';

const confirmed = (stage: Stage) => stage.server.links.map(({ received }) => received);

/** Open, with its first pong received, and everything sent kept until it is confirmed. */
function keeping(options: Options = {}): Stage {
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
    const { delivery, server, socket, scheduler } = keeping();
    socket.send('a');
    expect(server.last.wire.sentMessages.slice(-2)).toEqual(['a', '\u0005wb._1']);
    expect(delivery.unconfirmed).toEqual(['a']);
    scheduler.advance(20);
    expect(delivery.unconfirmed).toEqual([]);
  });

  it('asks for many messages at once, a second after the last time', () => {
    const { delivery, server, socket, scheduler } = keeping();
    for (const message of ['a', 'b', 'c']) socket.send(message);
    scheduler.advance(999);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1']);
    expect(delivery.unconfirmed).toEqual(['b', 'c']);
    scheduler.advance(1);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1', '\u0005wb._2']);
    scheduler.advance(20);
    expect(delivery.unconfirmed).toEqual([]);
    scheduler.advance(10_000);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1', '\u0005wb._2']);
  });

  it('asks earlier where half of the bounds is taken, but not twice at a time', () => {
    const { delivery, server, socket, scheduler } = keeping({ maxQueuedMessages: 4 });
    for (const message of ['a', 'b', 'c', 'd']) socket.send(message);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1']);
    scheduler.advance(20);
    expect(server.last.beats.slice(1)).toEqual(['\u0005wb._1', '\u0005wb._2']);
    scheduler.advance(20);
    expect(delivery.unconfirmed).toEqual([]);
  });

  it('holds what is unconfirmed within the bounds of the queue', () => {
    const { server, socket } = keeping({ maxQueuedMessages: 2 });
    server.last.cut();
    socket.send('a');
    socket.send('b');
    expect(() => socket.send('c')).toThrow(QueueOverflowError);
    expect(socket.bufferedAmount).toBe(0);
  });

  it('is moved by the pong to a ping of its own, and by no other', () => {
    const { delivery, server, socket, scheduler } = keeping();
    void socket.ping({ id: 'mine' }); // it goes out before the message
    server.answer = silentPeer;
    socket.send('a');
    for (const pong of ['\u0006wb.mine', '\u0006wb', '\u0006wb._2']) server.last.peer.send(pong);
    scheduler.advance(20);
    expect(delivery.unconfirmed).toEqual(['a']);
    server.last.peer.send('\u0006wb._1');
    scheduler.advance(20);
    expect(delivery.unconfirmed).toEqual([]);
  });

  it('keeps its ids for itself', async () => {
    const { socket } = keeping();
    await expect(socket.ping({ id: '_1' })).rejects.toThrow(
      "Expected `id` to be an id that does not start with `_`, got `'_1'` (string)",
    );
  });

  it('does not take the ping at open for one that follows what waited for open', async () => {
    for (const ready of [undefined, prepareWith(() => undefined)]) {
      const stage = dial('ws', { confirm: true, ...(ready && { ready }) });
      const { delivery, server, socket, scheduler } = stage;
      socket.send('queued');
      server.answer = (text) => (/wb\.1;/.test(text) ? minimalPeer(text) : undefined);
      scheduler.advance(10);
      await settle();
      scheduler.advance(1_000);
      expect(server.last.received).toEqual(['queued']);
      expect(server.last.peer.sentMessages).toHaveLength(1);
      expect(delivery.unconfirmed).toEqual(['queued']);
    }
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
    const { delivery, socket, scheduler } = dialOpen();
    await delivery.flushed();
    socket.send('a');
    const seen = watch(delivery.flushed());
    scheduler.advance(19);
    await settle();
    expect(seen).toEqual({});
    scheduler.advance(1);
    await settle();
    expect(seen.outcome).toBe('flushed');
    await delivery.flushed();
  });

  it('says whose WebSocket layer has read it', async () => {
    const { delivery, server, socket, scheduler } = dialOpen();
    const flush = async () => {
      socket.send('a');
      const flushed = delivery.flushed();
      scheduler.advance(20);
      return [await flushed, await delivery.flushed()];
    };
    expect(await flush()).toEqual([{ by: 'server' }, { by: 'server' }]);
    server.answer = (text) => `${minimalPeer(text)};by=somebody`;
    expect(await flush()).toEqual([{ by: 'server' }, { by: 'server' }]);
    server.answer = (text) => `${minimalPeer(text)};by=gateway`;
    expect(await flush()).toEqual([{ by: 'gateway' }, { by: 'gateway' }]);
  });

  it('waits for what is queued too', async () => {
    const { delivery, server, socket, scheduler } = dialOpen();
    server.last.reset();
    socket.send('queued');
    const seen = watch(delivery.flushed());
    scheduler.advance(250 + 10 + 19);
    await settle();
    expect(seen).toEqual({});
    scheduler.advance(1);
    await settle();
    expect(seen.outcome).toBe('flushed');
  });

  it('rejects where the connection ends before, for it can no longer be known', async () => {
    const { delivery, server, socket, scheduler } = dialOpen();
    socket.send('a');
    const seen = watch(delivery.flushed());
    server.last.reset();
    await settle();
    expect(seen.outcome).toBeInstanceOf(ConnectionClosedError);
    scheduler.advance(1_000);
    await delivery.flushed(); // what comes after is another matter
  });

  it('waits for the next connection where messages are sent again, and rejects after close()', async () => {
    for (const [end, outcome] of [
      [() => {}, 'flushed'],
      [(socket: Stage['socket']) => socket.close(), expect.any(ConnectionClosedError)],
    ] as const) {
      const { delivery, server, socket, scheduler } = keeping({ resend: true });
      server.last.cut();
      socket.send('a');
      const seen = watch(delivery.flushed());
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
    const { delivery, server, socket, scheduler, log } = keeping();
    let atClose: unknown;
    socket.addEventListener('close', () => (atClose = delivery.unconfirmed));
    socket.send('arrived');
    scheduler.advance(20);
    server.last.cut();
    socket.send('lost');
    server.last.reset();
    socket.send('queued');
    expect(atClose).toEqual(['lost']);
    expect(delivery.unconfirmed).toEqual(['lost']);
    scheduler.advance(290);
    expect(delivery.unconfirmed).toEqual([]);
    expect(confirmed({ server } as Stage)).toEqual([['arrived'], ['queued']]);
    expect(eventsOf(log, 'drop')).toEqual([]);
  });

  it('is sent again before what was queued, and after what a listener of open sends', () => {
    const { delivery, server, socket, scheduler } = keeping({ resend: true });
    socket.addEventListener('open', () => socket.send('hello'));
    server.last.cut();
    socket.send('1');
    socket.send('2');
    server.last.reset();
    socket.send('3');
    scheduler.advance(300);
    expect(server.last.received).toEqual(['hello', '1', '2', '3']);
    expect(delivery.unconfirmed).toEqual([]);
  });

  it('is sent again on a connection that replaces a suspect one', () => {
    const { server, socket, scheduler } = keeping({ resend: true });
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
    const { server, socket, scheduler } = keeping({ resend: true });
    socket.send('1');
    scheduler.advance(10); // it is there; its pong is not
    server.last.reset();
    scheduler.advance(300);
    expect(confirmed({ server } as Stage)).toEqual([['1'], ['1']]);
  });

  it('is the message as it was when it was sent', () => {
    const { server, socket, scheduler } = keeping({ resend: true });
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
  const { delivery, socket, server } = dialOpen();
  server.last.cut();
  socket.send('a');
  expect(delivery.unconfirmed).toEqual([]);
});

describe('flushed() says what has arrived, and no more', () => {
  it('waits for what a listener of open sends, and rejects if its connection ends', async () => {
    for (const [end, outcome] of [
      [() => {}, 'flushed'],
      [({ server }: Stage) => server.last.reset(), expect.any(ConnectionClosedError)],
    ] as const) {
      const stage = dial('ws', { resend: true });
      let seen: { outcome?: unknown } = {};
      stage.socket.addEventListener(
        'open',
        () => {
          stage.socket.send('hello');
          seen = watch(stage.delivery.flushed());
        },
        { once: true },
      );
      stage.scheduler.advance(10);
      await settle();
      expect(seen).toEqual({});
      end(stage);
      stage.scheduler.advance(20);
      await settle();
      expect(seen.outcome).toEqual(outcome);
    }
  });

  it('rejects after close() if not all that was sent has arrived', async () => {
    for (const [act, outcome] of [
      [() => {}, 'flushed'],
      [({ socket }: Stage) => socket.send('late'), expect.any(ConnectionClosedError)],
    ] as const) {
      const stage = dialOpen();
      stage.socket.send('a');
      void stage.delivery.flushed();
      stage.scheduler.advance(20);
      stage.socket.close();
      act(stage);
      const soon = watch(stage.delivery.flushed());
      stage.scheduler.advance(2_000);
      const later = watch(stage.delivery.flushed());
      await settle();
      expect([soon.outcome, later.outcome]).toEqual([outcome, outcome]);
    }
  });

  it('rejects if a message that it waits for is dropped', async () => {
    const { delivery, server, socket, scheduler } = dialOpen('ws', {
      queuePolicy: 'drop-oldest',
      maxQueuedMessages: 1,
    });
    server.last.reset();
    socket.send('a');
    const first = watch(delivery.flushed());
    socket.send('b');
    const second = watch(delivery.flushed());
    scheduler.advance(1_000);
    await settle();
    expect(first.outcome).toBeInstanceOf(QueueOverflowError);
    expect(second.outcome).toBe('flushed');
  });

  it('rejects if some of what it waits for was lost with a connection and the rest is queued', async () => {
    const { delivery, server, socket, scheduler } = dialOpen();
    server.last.cut();
    socket.send('lost');
    server.last.wire.readyState = 2; // the server's Close has come, the event not yet
    socket.send('queued');
    const seen = watch(delivery.flushed());
    server.last.reset();
    scheduler.advance(1_000);
    await settle();
    expect(server.last.received).toEqual(['queued']);
    expect(seen.outcome).toBeInstanceOf(ConnectionClosedError);
  });
});

describe('a message that the server closes for', () => {
  /** Closes with `code` for each message of that text, and answers all pings. */
  function refusing(code: number, refused: string, options: Options = {}): Stage {
    const stage = dial('ws', { resend: true, ...options });
    stage.server.answer = (text, link) => {
      if (text === refused) link.peer.close(code, 'not that');
      return minimalPeer(text);
    };
    return stage;
  }

  const received = ({ server }: Stage) => server.links.flatMap((link) => link.received);
  const dropped = ({ log }: Stage) => eventsOf(log, 'drop').map(({ detail }) => detail);

  it.each([1003, 1007, 1008, 1009, 1011])(
    'is dropped after three connections, by %d',
    async (code) => {
      const stage = refusing(code, 'poison');
      const { delivery, socket, scheduler } = stage;
      for (const message of ['a', 'poison', 'b', 'c']) socket.send(message);
      const seen = watch(delivery.flushed());
      scheduler.advance(60_000);
      await settle();
      expect(dropped(stage)).toEqual([{ messages: ['poison'], reason: 'undeliverable' }]);
      expect([...new Set(received(stage))]).toEqual(['a', 'poison', 'b', 'c']);
      expect(received(stage).filter((message) => message === 'poison')).toHaveLength(4);
      expect(seen.outcome).toMatchObject({ closeCode: code, reason: 'not that' });
      expect(delivery.unconfirmed).toEqual([]);
      socket.send('d');
      scheduler.advance(20);
      expect(stage.server.last.received.at(-1)).toBe('d');
      await delivery.flushed();
    },
  );

  it('is handed back after `close`, and a listener may send another in its place', () => {
    const stage = refusing(1009, 'poison');
    const { socket, scheduler, log } = stage;
    socket.addEventListener('drop', () => socket.send('smaller'));
    socket.send('poison');
    scheduler.advance(60_000);
    const names = log.map(({ name }) => name);
    expect(names[names.indexOf('drop') - 1]).toBe('close');
    expect(received(stage)).toEqual(['poison', 'poison', 'poison', 'smaller']);
  });

  it('is none of those that were out before it: they are sent one by one', () => {
    const stage = refusing(1009, 'poison');
    for (const message of ['a', 'b', 'poison']) stage.socket.send(message);
    stage.scheduler.advance(60_000);
    const [, ...later] = stage.server.links.map((link) => link.received);
    expect(later).toEqual([['a', 'b', 'poison'], ['poison'], ['poison'], []]);
  });

  it('is not blamed for cuts, restarts and the like', () => {
    const stage = dial('ws', { resend: true });
    const { delivery, server, socket, scheduler } = stage;
    server.answer = silentPeer;
    socket.send('innocent');
    for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 4000, 1006, 1012, 1011]) {
      while (server.last.received.length === 0) scheduler.advance(100);
      if (code === 1006) server.last.reset();
      else server.last.peer.close(code);
      scheduler.advance(100);
    }
    server.answer = minimalPeer;
    scheduler.advance(60_000);
    expect(dropped(stage)).toEqual([]);
    expect(delivery.unconfirmed).toEqual([]);
  });

  it('is not blamed where a server closes with 1008 before it answers: that means the client', () => {
    const stage = dial('ws', { resend: true });
    const { server, socket, scheduler } = stage;
    server.answer = (_, link) => {
      link.peer.close(1008, 'not let in');
      return undefined;
    };
    socket.send('innocent');
    scheduler.advance(300_000);
    expect(server.links.length).toBeGreaterThan(9);
    expect(dropped(stage)).toEqual([]);
    server.answer = minimalPeer;
    scheduler.advance(60_000);
    expect(server.last.received).toEqual(['innocent']);
  });

  it('is blamed for 1008 also where no ping but for a confirmation is sent', () => {
    const stage = refusing(1008, 'poison', { pingInterval: false });
    stage.socket.send('poison');
    stage.scheduler.advance(60_000);
    expect(dropped(stage)).toEqual([{ messages: ['poison'], reason: 'undeliverable' }]);
  });
});

describe('a socket that throws at a message', () => {
  /** Throws at each message of that text, while it is open. */
  function throwing(options: Options, refused = 'bad'): Stage {
    const stage = dial('ws', options);
    const { wire } = stage.server.last;
    const { send } = wire;
    wire.send = (data) => {
      if (data === refused) throw new RangeError('not that');
      send.call(wire, data);
    };
    return stage;
  }

  it.each([
    ['queued', {}, 0],
    ['queued and kept', { confirm: true }, 0],
    ['sent at once', {}, 30],
    ['sent at once and kept', { confirm: true }, 30],
  ])('gets the others, in order, and it is handed back: %s', async (_, options, after) => {
    const stage = throwing(options);
    const { delivery, server, socket, scheduler, log } = stage;
    scheduler.advance(after);
    for (const message of ['1', 'bad', '2', '3']) socket.send(message);
    const seen = watch(delivery.flushed());
    scheduler.advance(30);
    socket.send('4');
    scheduler.advance(30);
    await settle();
    expect(server.last.received).toEqual(['1', '2', '3', '4']);
    expect(eventsOf(log, 'drop').map(({ detail }) => detail)).toEqual([
      { messages: ['bad'], reason: 'undeliverable' },
    ]);
    expect(eventsOf(log, 'error')[0]).toMatchObject({ error: new RangeError('not that') });
    if (after === 0) expect(seen.outcome).toEqual(new RangeError('not that'));
    else expect(seen.outcome).toBe('flushed'); // it was handed back before
    expect(socket.bufferedAmount).toBe(0);
    const all = watch(delivery.flushed());
    scheduler.advance(2_000);
    await settle();
    expect(all.outcome).toBe('flushed');
  });

  it('while it is closing keeps the message for the next one', () => {
    const { server, socket, scheduler } = dialOpen();
    server.last.wire.send = () => {
      server.last.wire.readyState = 2;
      throw new Error('closing');
    };
    socket.send('a');
    server.last.reset();
    scheduler.advance(1_000);
    expect(server.last.received).toEqual(['a']);
  });
});

it('keeps the order of what listeners send while a message is on its way', () => {
  for (const confirm of [false, true]) {
    const { server, socket, scheduler } = dialOpen('ws', { confirm, probeAfter: 1_000 });
    scheduler.advance(2_000);
    socket.addEventListener('ping', () => socket.send('2'), { once: true });
    socket.send('1'); // brings a ping
    socket.send('3');
    scheduler.advance(20);
    expect(server.last.received).toEqual(['1', '2', '3']);
  }
});

it('sends no message twice or into nothing if a listener reconnects while it is on its way', () => {
  const { server, socket, scheduler } = dialOpen('ws', {
    confirm: true,
    resend: true,
    probeAfter: 1_000,
  });
  scheduler.advance(2_000);
  socket.addEventListener('ping', () => socket.reconnect(), { once: true });
  socket.send('1');
  socket.send('2');
  scheduler.advance(1_000);
  expect(server.links.flatMap(({ received }) => received)).toEqual(['1', '2']);
});

describe('the pings that ask for confirmations', () => {
  it('are no more than 20 at once and four a second, however often flushed() is awaited', async () => {
    const { delivery, server, socket, scheduler } = dialOpen();
    server.latency = 1;
    let rounds = 0;
    const loop = async () => {
      for (;;) {
        socket.send('x');
        await delivery.flushed();
        rounds += 1;
      }
    };
    loop().catch(() => {}); // it was closed
    for (let ms = 0; ms < 30_000; ms += 5) {
      scheduler.advance(5);
      await settle();
    }
    const { beats } = server.last;
    expect(rounds).toBeGreaterThan(4 * 25);
    expect(beats.length).toBeLessThanOrEqual(20 + 4 * 30 + 2);
    socket.close();
    scheduler.advance(2_000);
    await settle();
  });

  it('are no more than eight on a connection on which none is answered', () => {
    const { delivery, server, socket, scheduler } = keeping({ maxQueuedMessages: false });
    server.answer = silentPeer;
    for (let seconds = 0; seconds < 3_600; seconds += 1) {
      socket.send(`${seconds}`);
      delivery.flushed().catch(() => {});
      server.last.peer.send('the server lives');
      scheduler.advance(1_000);
    }
    for (const { beats } of server.links) {
      const asks = beats.filter((beat) => beat.startsWith('\u0005wb._'));
      expect(asks.length).toBeLessThan(9);
    }
    expect(server.links.length).toBeLessThan(4);
    expect(delivery.unconfirmed.length).toBeGreaterThan(3_000);
  });

  it('are sent again if the server left one out', async () => {
    const { delivery, server, socket, scheduler } = keeping({
      pingInterval: 6_000,
      makeBeforeBreak: false,
    });
    server.answer = (text) => (text === '\u0005wb._1' ? undefined : minimalPeer(text));
    socket.send('a');
    const seen = watch(delivery.flushed());
    scheduler.advance(7_000); // a routine ping and its pong, then another for the message
    await settle();
    expect(seen.outcome).toBe('flushed');
    expect(server.last.beats).toContain('\u0005wb._2');
  });
});
