import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import { prepareWith, type ReadySocket } from '../../src/reconnect/prepare-with.ts';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import {
  type Answer,
  FakeServer,
  KINDS,
  type Kind,
  type Link,
  minimalPeer,
  sessionServer,
  silentPeer,
} from '../fake-server.ts';
import { dial, dialOpen, eventsOf, expectEnded, namesOf, type Stage, settle } from '../stage.ts';

/** Open and answered. `random` is 0.5: the standby is dialled 125 ms after `suspect`. */
function set(kind: Kind, options: ReconnectOptions = {}, answer: Answer = sessionServer()): Stage {
  const stage = dialOpen(kind, { ...options });
  stage.server.answer = answer;
  stage.socket.reconnect(); // so that its session is known
  stage.scheduler.advance(40);
  stage.log.length = 0;
  return stage;
}

/** When the standby is dialled, from the message that is sent into the cut; when it is open; answered. */
const SUSPECT = 400;
const DIALLED = SUSPECT + 125;
const OPEN = DIALLED + 10;
const ANSWERED = OPEN + 20;

/** Cuts the connection in use, silently, and sends into it: 400 ms later it is suspect. */
function act({ server, socket, scheduler }: Stage): Link {
  scheduler.advance(5_000);
  const { last } = server;
  last.cut();
  socket.send('acted');
  return last;
}

/** A server without sessions that closes one of two connections with `code`. */
function singleServer(ends: 'older' | 'newer', code: number): Answer {
  let first: Link | undefined;
  return (text, link) => {
    const isGone = first === undefined || first.client.readyState > 1;
    if (isGone) first = link;
    if (link !== first) (ends === 'older' ? first : link)?.peer.close(code, 'one at a time');
    if (link !== first && ends === 'newer') return undefined;
    return minimalPeer(text);
  };
}

describe.each(KINDS)('make-before-break, over a class like that of %s', (kind) => {
  it.each([
    ['with sessions', sessionServer()],
    ['without', minimalPeer],
  ])('replaces a suspect connection once another is answered, towards a server %s', (_, answer) => {
    const stage = set(kind, {}, answer);
    const { scheduler, server, log, socket } = stage;
    act(stage);
    scheduler.advance(SUSPECT);
    expect(namesOf(log)).toEqual(['suspect']);
    expect(server.links).toHaveLength(2);
    scheduler.advance(DIALLED - SUSPECT - 1);
    expect(server.links).toHaveLength(2);
    scheduler.advance(1 + ANSWERED - DIALLED);
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open']);
    const end = { code: 3008, reason: 'replaced', wasClean: false };
    expect(eventsOf(log, 'close')[0]).toMatchObject(end);
    expect(socket.readyState).toBe(1);
    socket.send('on the new one');
    scheduler.advance(10);
    expect(server.last.received).toEqual(['on the new one']);
    expect(server.mostLive).toBe(2);
    expect(server.live).toBe(1);
  });

  it('closes the connection that it replaces with 1000, in case its link comes back', () => {
    const stage = set(kind, {}, minimalPeer);
    const { scheduler } = stage;
    const old = act(stage);
    const closes: unknown[] = [];
    old.peer.addEventListener('close', ({ code, reason }) => closes.push([code, reason]));
    scheduler.advance(ANSWERED - 1);
    old.mend();
    scheduler.advance(11);
    expect(closes).toEqual([[1000, 'replaced']]);
  });

  it('sends what was written while the connection was suspect on the one that is used then', () => {
    for (const isMended of [false, true]) {
      const stage = set(kind);
      const { scheduler, server, socket } = stage;
      const old = act(stage);
      scheduler.advance(SUSPECT + 1);
      socket.send('held 1');
      socket.send('held 2');
      expect(socket.bufferedAmount).toBeGreaterThan(0);
      if (isMended) {
        old.mend();
        old.peer.send('still here');
      }
      scheduler.advance(1_000);
      socket.send('later');
      scheduler.advance(10);
      expect((isMended ? old : server.last).received).toEqual(['held 1', 'held 2', 'later']);
      expect(socket.bufferedAmount).toBe(0);
      expect(server.links).toHaveLength(isMended ? 2 : 3);
    }
  });

  it('keeps what was written while the connection was suspect for the next if reconnect() is called', () => {
    const stage = set(kind);
    const { scheduler, server, socket } = stage;
    act(stage);
    scheduler.advance(SUSPECT + 1);
    socket.send('held');
    socket.reconnect();
    scheduler.advance(100);
    expect(server.last.received).toEqual(['held']);
  });

  it('holds no more messages than half of the queue takes: send() throws nothing for it', () => {
    const stage = set(kind, { maxQueuedMessages: 10 });
    act(stage);
    stage.scheduler.advance(SUSPECT + 1);
    for (let count = 0; count < 100; count += 1) stage.socket.send('text');
    expect(stage.socket.readyState).toBe(1);
  });

  it('pings the standby where pingInterval is off, too', () => {
    const stage = set(kind, { pingInterval: false }, minimalPeer);
    const { scheduler, server, socket, log } = stage;
    void socket.ping().catch(() => {});
    scheduler.advance(100);
    server.last.cut();
    void socket.ping().catch(() => {});
    scheduler.advance(ANSWERED);
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open']);
  });

  it('sends its session in the first ping, and never again', () => {
    const { server, socket, scheduler } = set(kind);
    const [first] = server.last.beats;
    expect(first?.slice(1)).toMatch(/^wb\.1;v=1;session=[\w-]{22}$/);
    void socket.ping({ id: 'again' });
    scheduler.advance(20);
    expect(server.last.beats.at(-1)).toBe('\u0005wb.again');
  });

  it('keeps the connection that speaks again before the other is open, and closes the other', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    const old = act(stage);
    scheduler.advance(DIALLED - 5); // this takes 10 ms
    old.mend();
    old.peer.send('still here');
    scheduler.advance(10_000);
    expect(server.links).toHaveLength(3);
    expect(namesOf(log)).toEqual(['suspect', 'message']);
    expect(server.live).toBe(1);
    expect(old.client.readyState).toBe(1);
  });

  it('takes no heed of a suspicion that was false before the standby was dialled', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    const old = act(stage);
    scheduler.advance(DIALLED - 11);
    old.mend();
    old.peer.send('still here');
    scheduler.advance(10);
    expect(server.links).toHaveLength(2);
    act(stage);
    scheduler.advance(1_000);
    expect(namesOf(log)).toEqual(['suspect', 'message', 'suspect', 'close', 'open']);
  });

  it('after such a false alarm lets that connection die by itself', () => {
    const stage = set(kind);
    const { scheduler, log } = stage;
    const old = act(stage);
    scheduler.advance(DIALLED - 5);
    old.mend();
    old.peer.send('still here');
    scheduler.advance(100_000); // also the pause between two standbys is over
    stage.log.length = 0;
    old.cut();
    scheduler.advance(36_000);
    expect(namesOf(log).slice(0, 4)).toEqual(['suspect', 'dead', 'close', 'retry']);
  });

  it('lets late bytes of the old connection through until the new one is answered, then drops them', () => {
    const stage = set(kind);
    const { scheduler, log } = stage;
    const old = act(stage);
    scheduler.advance(OPEN + 1); // its first ping, with the session, is on its way
    old.mend();
    old.peer.send('late, yet in time');
    scheduler.advance(11);
    old.peer.send('too late');
    scheduler.advance(100);
    expect(namesOf(log)).toEqual(['suspect', 'message', 'close', 'open']);
    expect(eventsOf(log, 'message')[0]?.data).toBe('late, yet in time');
  });

  it('keeps a connection that speaks again if the standby opens and is never answered', () => {
    const stage = set(kind);
    const { scheduler, server, log, socket } = stage;
    const old = act(stage);
    scheduler.advance(OPEN + 1);
    server.last.cut();
    old.mend();
    old.peer.send('still here');
    socket.send('held');
    scheduler.advance(5_000);
    expect(namesOf(log)).toEqual(['suspect', 'message']);
    expect(server.live).toBe(1);
    expect(old.received).toEqual(['held']);
  });

  it('holds what the new connection receives until it is open to the application', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    scheduler.advance(OPEN);
    server.last.peer.send('a greeting'); // before the pong
    scheduler.advance(100);
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open', 'message']);
    expect(eventsOf(log, 'message')[0]?.data).toBe('a greeting');
  });

  it('gives the new connection up if it would have to hold more than the queue may', () => {
    const stage = set(kind, { maxQueuedBytes: 10 });
    const { scheduler, server, log } = stage;
    act(stage);
    scheduler.advance(OPEN);
    server.last.peer.send('more than ten bytes');
    scheduler.advance(5_000);
    expect(namesOf(log)).toEqual(['suspect']);
  });

  it('gives it up for many empty messages too: they take memory', () => {
    const stage = set(kind, { maxQueuedMessages: 10 });
    const { scheduler, server, log } = stage;
    act(stage);
    scheduler.advance(OPEN);
    for (let count = 0; count < 11; count += 1) server.last.peer.send('');
    scheduler.advance(5_000);
    expect(namesOf(log)).toEqual(['suspect']);
  });

  it('takes over a connection that is being dialled when the old one ends', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    const old = act(stage);
    scheduler.advance(DIALLED + 5);
    old.reset();
    expect(namesOf(log)).toEqual(['suspect', 'close']);
    scheduler.advance(5);
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open']);
    expect(server.links).toHaveLength(3);
  });

  it('takes over one that is open when the old one ends, as a server ends it that knows the session', () => {
    const stage = set(kind);
    const { scheduler, log } = stage;
    const old = act(stage);
    scheduler.advance(OPEN + 10);
    old.dispatch({ type: 'close', code: 4400, reason: '', wasClean: true }); // fatal, were it alone
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open']);
  });

  it('goes on as ever if the new connection is refused', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    server.greeting = 'refuse';
    scheduler.advance(2_000);
    expect(namesOf(log)).toEqual(['suspect']);
    server.greeting = 'accept';
    scheduler.advance(20_000);
    expect(namesOf(log)).toEqual(['suspect', 'dead', 'close', 'retry', 'open']);
  });

  it('makes at most one such connection a minute', () => {
    const stage = set(kind);
    const { scheduler, server, socket } = stage;
    act(stage);
    scheduler.advance(1_300);
    const dialled = server.links.length;
    act(stage);
    scheduler.advance(2_000);
    expect(server.links).toHaveLength(dialled);
    expect(socket.status).toBe('suspect');
  });

  it('makes none, and sends no session, where that is off', () => {
    const stage = set(kind, { makeBeforeBreak: false });
    act(stage);
    stage.scheduler.advance(2_000);
    expect(stage.server.links).toHaveLength(2);
    expect(stage.server.last.beats[0]).toBe('\u0005wb.1;v=1');
  });

  it('leaves nothing behind if it is closed meanwhile, wherever it stands', () => {
    for (const wait of [SUSPECT + 50, DIALLED + 5, OPEN + 1, ANSWERED - 1]) {
      const stage = set(kind);
      act(stage);
      stage.scheduler.advance(wait);
      stage.socket.close();
      stage.server.mostLive = 1; // two for a while, and that is right
      const closes = eventsOf(stage.log, 'close').length;
      expectEnded(stage, closes + 1);
    }
  });

  it('dials anew, and no more than that, if it is told to reconnect meanwhile', () => {
    const stage = set(kind);
    act(stage);
    stage.scheduler.advance(OPEN + 1);
    stage.socket.reconnect();
    stage.scheduler.advance(1_000);
    expect(stage.server.live).toBe(1);
    expect(stage.socket.readyState).toBe(1);
    expect(namesOf(stage.log)).toEqual(['suspect', 'close', 'retry', 'open']);
    const [close] = eventsOf(stage.log, 'close');
    expect(close).toMatchObject({ code: 3008, reason: 'reconnect' }); // it was suspect
  });

  describe('towards a server that takes one connection', () => {
    /** How many standbys a server has seen that cuts the link again and again, minutes apart. */
    function standbysIn(stage: Stage, cuts: number): number {
      const { scheduler, server, socket } = stage;
      let standbys = 0;
      for (let count = 0; count < cuts; count += 1) {
        scheduler.advance(120_000);
        const { last } = server;
        last.cut();
        socket.send('acted');
        server.mostLive = 0;
        scheduler.advance(DIALLED + 40);
        standbys += server.mostLive === 2 ? 1 : 0;
        last.mend();
        last.peer.send('still here');
        scheduler.advance(40);
        last.reset();
        scheduler.advance(10_000);
        expect(socket.readyState).toBe(1);
      }
      return standbys;
    }

    it('tries a standby again and again where both are taken', () => {
      expect(standbysIn(set(kind, {}, minimalPeer), 4)).toBe(4);
    });

    it('dials no second standby if the server closed the first at once', () => {
      expect(standbysIn(set(kind, {}, singleServer('newer', 1008)), 4)).toBe(1);
    });

    it('dials no second standby if the server closed the older connection because of the first', () => {
      const stage = set(kind, {}, singleServer('older', 4409));
      const { scheduler, server, socket } = stage;
      const old = act(stage);
      scheduler.advance(DIALLED - 5);
      old.mend();
      scheduler.advance(40);
      expect(old.client.readyState).toBeGreaterThan(1);
      expect(socket.readyState).toBe(1); // on the newer one
      scheduler.advance(120_000);
      const dialled = server.links.length;
      act(stage);
      scheduler.advance(5_000);
      expect(server.links).toHaveLength(dialled);
    });

    it('goes on trying if the server closed both because it restarts', () => {
      for (const code of [1001, 1012, 1013]) {
        expect(standbysIn(set(kind, {}, singleServer('newer', code)), 3)).toBe(3);
      }
    });

    it('dials no second standby if the first was refused while the link was well', () => {
      const stage = set(kind, {}, minimalPeer);
      const { scheduler, server, socket } = stage;
      const old = act(stage);
      server.greeting = 'refuse';
      scheduler.advance(OPEN + 1);
      old.mend();
      old.peer.send('still here');
      scheduler.advance(20);
      server.greeting = 'accept';
      old.reset();
      scheduler.advance(120_000);
      expect(socket.readyState).toBe(1);
      const dialled = server.links.length;
      act(stage);
      scheduler.advance(5_000);
      expect(server.links).toHaveLength(dialled);
    });
  });

  describe('with ready', () => {
    /** Waits for one word after the other. */
    function greeted(count: number) {
      const heard: unknown[] = [];
      const wordFrom = (socket: ReadySocket) =>
        new Promise((resolve) => {
          const listener = ({ data }: { data: unknown }) => {
            socket.removeEventListener('message', listener);
            resolve(data);
          };
          socket.addEventListener('message', listener);
        });
      const ready = prepareWith(async (socket) => {
        for (let word = 0; word < count; word += 1) heard.push(await wordFrom(socket));
      });
      return { heard, ready };
    }

    /** Advances by single milliseconds, and lets promises settle in between. */
    async function run({ scheduler }: Stage, ms: number): Promise<void> {
      for (let count = 0; count < ms; count += 1) {
        scheduler.advance(1);
        await settle();
      }
    }

    it('gives ready what the server said while the connection was the standby, in order and once', async () => {
      const { heard, ready } = greeted(2);
      const stage = dial(kind, { ready });
      const { scheduler, server, socket, log } = stage;
      const links = new Set<Link>();
      server.answer = (text, { peer }) => {
        const isNew = links.size < server.links.length;
        links.add(server.last);
        if (!isNew) return minimalPeer(text);
        // One turn each, and all before the pong.
        for (const [wait, answer] of ['hello', 'nonce', minimalPeer(text)].entries()) {
          scheduler.at(scheduler.now() + wait, () => peer.send(answer));
        }
        return undefined;
      };
      await run(stage, 60);
      expect(heard).toEqual(['hello', 'nonce']);
      heard.length = log.length = 0;
      scheduler.advance(5_000);
      act(stage);
      await run(stage, ANSWERED + 10);
      server.last.peer.send('later');
      await run(stage, 30);
      expect(heard).toEqual(['hello', 'nonce']);
      expect(eventsOf(log, 'message').map(({ data }) => data)).toEqual(['hello', 'nonce', 'later']);
      socket.send('after ready');
      scheduler.advance(10);
      expect(server.last.received).toEqual(['after ready']);
    });

    const WORDS = Array.from({ length: 30 }, (_, word) => `word ${word}`);

    /** A standby that takes over, was greeted by many words, and is not ready by itself. */
    async function takeOver() {
      const parts = { count: 0, becomeReady: () => {} };
      const ready = prepareWith(() => {
        parts.count += 1;
        if (parts.count === 1) return Promise.resolve();
        return new Promise<void>((resolve) => {
          parts.becomeReady = resolve;
        });
      });
      const stage = dial(kind, { ready });
      stage.server.answer = minimalPeer;
      await run(stage, 60);
      act(stage);
      stage.log.length = 0;
      await run(stage, OPEN);
      for (const word of WORDS) stage.server.last.peer.send(word);
      while (parts.count < 2) await run(stage, 1);
      const heard = () => eventsOf(stage.log, 'message').map(({ data }) => data);
      return { ...stage, parts, heard };
    }
    it('keeps up with a server that sends faster than it hands over what was held', async () => {
      const { scheduler, server, heard } = await takeOver();
      for (let count = 0; count < 1_000; count += 1) {
        for (let each = 0; each < 3; each += 1) server.last.peer.send('news');
        scheduler.advance(1);
      }
      expect(heard().length).toBeGreaterThan(2_800);
      scheduler.advance(200);
      expect(heard()).toEqual([...WORDS, ...new Array(3_000).fill('news')]);
    });

    it('hands over what was held before the connection is ready, and before it has closed', async () => {
      for (const end of ['ready', 'close'] as const) {
        const stage = await takeOver();
        const { server, log, parts, heard } = stage;
        expect(heard().length).toBeLessThan(WORDS.length);
        if (end === 'ready') parts.becomeReady();
        else server.last.peer.close(4401, 'sorry');
        while (end === 'close' && eventsOf(log, 'close').length < 2) stage.scheduler.advance(1);
        await settle();
        expect(heard()).toEqual(WORDS);
      }
    });
  });
});

describe.each(KINDS)('a server that answers no pings, over a class like that of %s', (kind) => {
  const UNANSWERED = 10_000 + 10 + 250; // pingTimeout from the first ping

  function dialMute(options: ReconnectOptions = {}) {
    const stage = dial(kind, options);
    stage.server.answer = silentPeer;
    const told: number[] = [];
    stage.socket.addEventListener('unanswered', () => told.push(stage.scheduler.now()));
    return { ...stage, told };
  }

  it('keeps its connection: a second one beside it is not answered either, is closed, and that is said once', () => {
    const { scheduler, server, socket, log, told } = dialMute();
    scheduler.advance(UNANSWERED - 1);
    expect(server.links).toHaveLength(1);
    scheduler.advance(1);
    expect(server.links).toHaveLength(2);
    expect(told).toEqual([]);
    scheduler.advance(86_400_000);
    expect(told).toHaveLength(1);
    expect(server.links).toHaveLength(2);
    expect(server.links.map(({ client }) => client.readyState)).toEqual([1, 3]);
    expect(server.links.map(({ beats }) => beats.length)).toEqual([2, 2]); // one with an id, one bare
    expect(namesOf(log).filter((name) => name !== 'suspect')).toEqual(['open']);
    expect(socket.readyState).toBe(1);
    expect(socket.detectionBound).toBe(Number.POSITIVE_INFINITY);
    socket.send('text');
    scheduler.advance(10);
    expect(server.links[0]?.received).toEqual(['text']);
    socket.close();
    scheduler.advance(2_000);
    expect(scheduler.pending).toBe(0);
  });

  it('dials no second connection if the first delivers messages, and keeps it', () => {
    const { scheduler, server, socket, log, told } = dialMute();
    const speak = () => {
      if (server.last.peer.readyState === 1) server.last.peer.send('news');
      scheduler.at(scheduler.now() + 5_000, speak);
    };
    scheduler.at(5_000, speak);
    scheduler.advance(3_600_000);
    expect(server.links).toHaveLength(1);
    expect(told).toHaveLength(1);
    expect(eventsOf(log, 'close')).toEqual([]);
    expect(socket.readyState).toBe(1);
  });

  it('is asked on a second connection where make-before-break is off, too: nothing else finds a link that died at once', () => {
    const { scheduler, server, told } = dialMute({ makeBeforeBreak: false });
    scheduler.advance(3_600_000);
    expect(server.links.map(({ client }) => client.readyState)).toEqual([1, 3]);
    expect(told).toHaveLength(1);
  });

  it('replaces the first connection if the second is answered: it was dead', () => {
    const { scheduler, server, socket, log, told } = dialMute();
    scheduler.advance(UNANSWERED);
    server.answer = minimalPeer;
    server.links[0]?.cut();
    scheduler.advance(30);
    expect(namesOf(log).filter((name) => name !== 'suspect')).toEqual(['open', 'close', 'open']);
    expect(eventsOf(log, 'close')[0]).toMatchObject({ code: 3008, reason: 'unanswered' });
    expect(told).toEqual([]);
    expect(socket.status).toBe('alive');
    expect(server.live).toBe(1);
  });

  it('dials again while a second connection cannot be opened: that says nothing about the first', () => {
    const { scheduler, server, socket, told } = dialMute({ connectTimeout: 5_000 });
    scheduler.advance(5_000);
    server.greeting = 'ignore'; // the network is gone
    server.last.cut();
    scheduler.advance(60_000);
    expect(told).toEqual([]);
    server.answer = minimalPeer;
    server.greeting = 'accept';
    scheduler.advance(6_000);
    expect(socket.status).toBe('alive');
    expect(server.live).toBe(1);
  });

  it('stops to dial a second connection that is refused again and again', () => {
    const { scheduler, server, told } = dialMute();
    scheduler.advance(5_000);
    server.greeting = 'refuse';
    scheduler.advance(86_400_000);
    expect(server.links).toHaveLength(1 + 5);
    expect(told).toHaveLength(1);
    expect(server.links[0]?.client.readyState).toBe(1);
  });

  it('is held to its answers if it has ever given one, until two connections in a row had none', () => {
    const stage = dialMute({ makeBeforeBreak: false });
    const { scheduler, server, log, told } = stage;
    server.answer = minimalPeer;
    scheduler.advance(60_000);
    server.answer = silentPeer;
    scheduler.advance(200_000);
    const causes = eventsOf(log, 'retry').map(({ detail }) => detail.cause.reason);
    expect(causes).toEqual(['ping-timeout', 'ping-timeout']);
    expect(told).toHaveLength(1);
  });
});

it('does not storm a server that stalls under 1 000 clients: one dial each, spread, and none soon after', () => {
  const CLIENTS = 1_000;
  const scheduler = new VirtualScheduler();
  const server = new FakeServer(scheduler);
  server.answer = sessionServer();
  const random = seededRandom(7);
  const sockets = Array.from({ length: CLIENTS }, () => {
    const options = { scheduler, random, WebSocket: server.WebSocket };
    const socket = new ReconnectingWebSocket('ws://test/', undefined, options);
    const act = () => {
      socket.send('a message a second');
      scheduler.at(scheduler.now() + 1_000, act);
    };
    scheduler.at(scheduler.now() + 1_000 * random(), act);
    return socket;
  });
  scheduler.advance(10_000);
  const stall = (loss: number) => {
    server.greeting = loss === 1 ? 'ignore' : 'accept';
    for (const { wire, peer } of server.links) wire.path.loss = peer.path.loss = loss;
  };
  const dialsIn = (milliseconds: number) => {
    const before = server.links.length;
    scheduler.advance(milliseconds);
    return server.links.length - before;
  };
  stall(1);
  const buckets = Array.from({ length: 50 }, () => dialsIn(100));
  const dials = buckets.reduce((sum, each) => sum + each, 0);
  expect(dials).toBeLessThanOrEqual(CLIENTS);
  expect(dials).toBeGreaterThan(CLIENTS / 2); // they did try
  expect(Math.max(...buckets)).toBeLessThan(CLIENTS / 8);
  stall(0);
  expect(dialsIn(10_000)).toBe(0);
  expect(server.live).toBe(CLIENTS);
  stall(1);
  expect(dialsIn(5_000)).toBe(0); // the pause of a minute
  expect(sockets.every((socket) => socket.readyState === 1)).toBe(true);
});
