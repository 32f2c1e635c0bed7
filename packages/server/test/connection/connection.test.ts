import { setImmediate } from 'node:timers/promises';
import { ConnectionClosedError, InvalidOptionError, PingTimeoutError } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { Stage, VirtualServer, type VirtualSocket } from '../virtual-server.ts';

type Connected = ReturnType<Stage['connect']>;

const PING = '\u0005wb';
const PONG = '\u0006wb';
/** pingInterval + pingTimeout + VERDICT_WAIT + 3 × the timer slack, of the defaults. */
const BOUND = 30_000 + 20_000 + 250 + 3 * 250;
const HOUR = 3_600_000;
/** Both tiers, and different ones. */
const SPEAKING = { answersBeats: true, latency: 40, lag: 60 };
/** Answers and is gone: its last Pong is that to the Ping at 30 s. */
const GONE_AT = 31_000;

/** A connection whose peer falls silent at {@link GONE_AT}, and the instant of its verdict. */
function openDoomed() {
  const stage = new Stage();
  const { socket, connection } = stage.connect();
  stage.advanceTo(GONE_AT);
  socket.peer.answersPings = false;
  return { stage, socket, connection, verdictAt: 80_250 };
}

describe('a client that knows nothing of heartbeats', () => {
  it('is sent only protocol Pings: when it opens, and when it is idle', () => {
    const stage = new Stage();
    stage.connect({ latency: 40 });
    stage.advanceTo(95_000);
    expect(stage.log).toEqual([
      '0 alive',
      '0 Ping wb-0.1', // a first latency
      '30000 Ping wb-0', // 30 s after the first Ping: the Pong came later
      '60000 Ping wb-0',
      '90000 Ping wb-0',
    ]);
  });

  it('is pinged although one direction is busy: a proxy may count the other', () => {
    for (const direction of ['receive', 'send'] as const) {
      const stage = new Stage();
      const { socket } = stage.connect();
      for (let at = 1_000; at < 100_000; at += 1_000) {
        stage.scheduler.at(at, () => socket[direction]('text'));
      }
      stage.advanceTo(100_000);
      expect(stage.lines(/Ping/)).toHaveLength(4);
    }
  });

  it('is pinged once in four intervals while both directions are busy', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    for (let at = 1_000; at < 300_000; at += 1_000) {
      stage.scheduler.at(at, () => socket.receive('text'));
      stage.scheduler.at(at, () => socket.send('text'));
    }
    stage.advanceTo(300_000);
    expect(stage.lines(/Ping/)).toEqual(['0 Ping wb-0.1', '120000 Ping wb-0', '240000 Ping wb-0']);
  });

  it('stays alive for an hour by its Pongs', () => {
    const stage = new Stage();
    const { connection } = stage.connect({ latency: 900 });
    stage.advanceTo(HOUR);
    expect(connection.status).toBe('alive');
    expect(stage.lines(/suspect|dead|sends|application/)).toEqual([]);
  });

  it('stays alive while it sends, even if it has never answered a Ping', () => {
    const stage = new Stage();
    const { socket } = stage.connect({ answersPings: false });
    for (let at = 0; at < HOUR; at += 15_000) stage.scheduler.at(at, () => socket.receive('text'));
    stage.advanceTo(HOUR);
    expect(stage.lines(/dead/)).toEqual([]);
    // Then it falls silent.
    stage.advanceTo(HOUR + BOUND);
    expect(stage.lines(/dead/)).toHaveLength(1);
  });
});

describe('a client that speaks', () => {
  it('is answered with the same id, or with none, and its page is pinged once for a latency', () => {
    const stage = new Stage();
    const { socket } = stage.connect(SPEAKING);
    stage.advanceTo(1_000);
    for (const ping of [`${PING}.1;v=1`, PING, `${PING}.x_-7`]) socket.receive(ping);
    stage.advanceTo(2_000);
    expect(stage.lines(/sends|application/)).toEqual([
      '1000 sends !wb.1',
      '1000 sends ?wb.1',
      '1000 sends !wb',
      '1000 sends !wb.x_-7',
    ]);
  });

  it('is sent pings and pongs uncompressed', () => {
    const stage = new Stage();
    const { socket } = stage.connect(SPEAKING);
    socket.receive(PING);
    expect(socket.sendOptions).toEqual([{ compress: false }, { compress: false }]);
  });

  it('is sent no protocol Ping while it pings in time', () => {
    const stage = new Stage();
    const { socket } = stage.connect(SPEAKING);
    for (let at = 0; at < HOUR; at += 25_000) stage.scheduler.at(at, () => socket.receive(PING));
    stage.advanceTo(HOUR);
    expect(stage.lines(/Ping/)).toEqual(['0 Ping wb-0.1']);
    // Its timers slip: the server takes over, and asks the page itself.
    stage.advanceTo(HOUR + 60_000);
    expect(stage.lines(/Ping/)).toHaveLength(1);
    const asked = stage
      .lines(/sends \?/)
      .slice(1)
      .map((line) => Number.parseInt(line, 10));
    expect(asked.map((at) => at - HOUR)).toEqual([2_000, 29_000, 56_000]); // 27 s after it spoke
  });

  it('stays alive by its protocol Pongs although the page answers nothing', async () => {
    const stage = new Stage();
    const { socket, connection } = stage.connect({ latency: 40 });
    socket.receive(PING);
    const page = connection.ping({ tier: 'application' });
    const refused = expect(page).rejects.toBeInstanceOf(PingTimeoutError);
    stage.advanceTo(HOUR);
    await refused;
    expect(connection.status).toBe('alive');
    expect(connection.applicationLatency).toBeUndefined();
    expect(stage.lines(/suspect|dead/)).toEqual([]);
  });

  it('is not answered once its socket is closing', () => {
    const stage = new Stage();
    const { socket } = stage.connect(SPEAKING);
    socket.close(1001);
    socket.receive(PING);
    stage.advanceTo(1_000);
    expect(stage.lines(/sends|application/)).toEqual([]);
  });

  it('has its pings answered although pings of the server are off', () => {
    const stage = new Stage({ pingInterval: false, pingTimeout: false });
    const { socket, connection } = stage.connect(SPEAKING);
    socket.receive(`${PING}.7`);
    stage.advanceTo(HOUR);
    expect(stage.lines(/sends !/)).toEqual(['0 sends !wb.7']);
    expect(connection.applicationLatency).toBe(100);
  });
});

describe('what the application sees', () => {
  it('includes neither heartbeat messages nor the Pongs to our Pings', () => {
    const stage = new Stage();
    const { socket } = stage.connect(SPEAKING);
    for (const beat of [PING, PONG, `${PING}.9;v=1;state=hidden`, `${PONG}.none`]) {
      socket.receive(beat);
    }
    stage.advanceTo(100_000);
    expect(stage.lines(/application/)).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['Ctrl-E of a terminal', '\u0005'],
    ['Ctrl-F', '\u0006'],
    ['Ctrl-E and a word of a terminal', '\u0005w'],
    ['a word behind', `${PING}x`],
    ['a line end behind', `${PING}\n`],
    ['a space before', ` ${PING}`],
    ['an empty id', `${PING}.`],
    ['an id of 17', `${PING}.12345678901234567`],
    ['a repeated key', `${PING};a=1;a=2`],
    ['a key without value', `${PING};a`],
    ['126 bytes', `${PING};abcd=${'1'.repeat(24)}`.repeat(4).slice(0, 126)],
    ['a capital', '\u0005WB'],
    ['text beyond ASCII', `${PING}.ü`],
  ])('includes a message that looks like a heartbeat message: %s', (_, text) => {
    const stage = new Stage();
    const { socket } = stage.connect();
    const seen: unknown[] = [];
    socket.on('message', (data, isBinary) => seen.push(data.toString(), isBinary));
    socket.receive(text);
    expect(seen).toEqual([text, false]);
    expect(stage.lines(/sends/)).toEqual([]);
  });

  it('includes a binary message with the bytes of a heartbeat message', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    for (const text of [PING, PONG, '\u0005']) socket.receive(Buffer.from(text));
    expect(stage.lines(/sends|application/)).toEqual([
      '0 application: binary ?wb',
      '0 application: binary !wb',
      '0 application: binary ?',
    ]);
  });

  it('includes every protocol Ping, and the Pongs to its own Pings', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    for (const payload of ['', 'x', 'wb', 'wb.1', 'wb-0.1.2', 'wb-0x']) {
      socket.receivePing(payload);
      socket.ping(payload);
    }
    stage.advanceTo(1_000);
    const payloads = ['', 'x', 'wb', 'wb.1', 'wb-0.1.2', 'wb-0x'];
    const seen = stage.lines(/application/);
    expect(seen.filter((line) => line.includes('ping'))).toEqual(
      payloads.map((payload) => `0 application: ping ${payload}`),
    );
    expect(seen.filter((line) => line.includes('pong'))).toEqual(
      payloads.map((payload) => `0 application: pong ${payload}`),
    );
  });

  it('is in order, also between heartbeat messages', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    for (const text of ['one', PING, 'two', PONG, 'three']) socket.receive(text);
    expect(stage.lines(/application/).map((line) => line.split(' ').at(-1))).toEqual([
      'one',
      'two',
      'three',
    ]);
  });
});

describe('a dead peer', () => {
  it('is suspect, dead, ended and terminated, in that order and once', () => {
    const { stage, connection } = openDoomed();
    const { detectionBound } = connection;
    stage.advanceTo(70_000);
    expect(connection.lastReceived).toBe(30_000);
    stage.advanceTo(HOUR);
    expect(stage.log.slice(3)).toEqual([
      '60000 Ping wb-0',
      '61000 suspect',
      '80250 dead: ping-timeout',
      '80250 end: ping-timeout',
      '80250 terminates',
    ]);
    expect(detectionBound).toBe(BOUND);
    expect(80_250 - 30_000).toBeLessThanOrEqual(detectionBound);
    expect(connection.status).toBe('dead');
  });

  it('may have never answered at all', () => {
    const stage = new Stage();
    stage.connect({ answersPings: false });
    stage.advanceTo(HOUR);
    expect(stage.log).toEqual([
      '0 alive',
      '0 Ping wb-0.1',
      '3000 Ping wb-0', // for one that answers only a constant
      '3000 suspect',
      '20250 dead: ping-timeout',
      '20250 end: ping-timeout',
      '20250 terminates',
    ]);
  });

  it('may still send, but no longer answers', () => {
    const { stage, socket } = openDoomed();
    for (let at = GONE_AT; at < HOUR; at += 1_000) {
      stage.scheduler.at(at, () => socket.receive('text'));
    }
    stage.advanceTo(HOUR);
    // The first Ping in vain is that at 60 s. Three periods of 50 s later:
    expect(stage.lines(/suspect|dead|end:|terminates/)).toEqual([
      '210250 dead: one-way',
      '210250 end: one-way',
      '210250 terminates',
    ]);
  });

  it('is emitted with what was measured', () => {
    const { stage } = openDoomed();
    const emitted: unknown[] = [];
    stage.heartbeat.on('dead', ({ reason, silentFor, error }) => {
      emitted.push(reason, silentFor, error.pingTimeout, error.code);
    });
    stage.advanceTo(HOUR);
    expect(emitted).toEqual(['ping-timeout', 50_250, 20_000, 'ERR_PING_TIMEOUT']);
  });

  it('is detected within the bound, whenever its last byte arrived', () => {
    for (let last = 0; last < 125_000; last += 777) {
      const stage = new Stage();
      const { socket, connection } = stage.connect();
      stage.advanceTo(last);
      socket.peer.answersPings = false;
      socket.receive('the last of it');
      let silentFor = Number.NaN;
      stage.heartbeat.on('dead', (event) => {
        silentFor = event.silentFor;
      });
      stage.advanceTo(last + connection.detectionBound);
      expect(connection.status).toBe('dead');
      expect(silentFor).toBeGreaterThanOrEqual(20_000);
    }
  });

  it('is given five timeouts if bytes are queued before the Ping', () => {
    const { stage, socket, connection } = openDoomed();
    socket.bufferedAmount = 100_000;
    stage.advanceTo(60_000);
    expect(connection.detectionBound).toBe(BOUND + 4 * 20_000);
    stage.advanceTo(GONE_AT + connection.detectionBound);
    expect(stage.lines(/dead/)).toEqual(['160250 dead: ping-timeout']);
  });

  it('is kept if pingTimeout is off', () => {
    const stage = new Stage({ pingTimeout: false });
    const { connection } = stage.connect({ answersPings: false });
    stage.advanceTo(HOUR);
    expect(connection.detectionBound).toBe(Number.POSITIVE_INFINITY);
    expect(stage.lines(/dead|end:/)).toEqual([]);
  });

  it('is never pinged if pingInterval is off, and no timer is set', () => {
    const stage = new Stage({ pingInterval: false });
    const { connection } = stage.connect({ answersPings: false });
    expect(stage.scheduler.pending).toBe(0);
    stage.advanceTo(HOUR);
    expect(stage.log).toEqual(['0 alive']);
    expect(connection.detectionBound).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a peer that was believed dead', () => {
  const life: [what: string, send: (socket: VirtualSocket) => void][] = [
    ['a message', (socket) => socket.receive('text')],
    ['a binary message', (socket) => socket.receive(Buffer.from([5]))],
    ['a look-alike', (socket) => socket.receive('\u0005')],
    ['a ping', (socket) => socket.receive(PING)],
    ['a pong that nobody asked for', (socket) => socket.receive(`${PONG}.none`)],
    ['a protocol Ping', (socket) => socket.receivePing()],
    ['a Pong of its own accord', (socket) => socket.receivePong('')],
  ];

  it.each(life)('is alive again once it sends anything: %s', (_, send) => {
    const { stage, socket, verdictAt } = openDoomed();
    stage.advanceTo(verdictAt - 10_000);
    send(socket);
    stage.advanceTo(verdictAt + 1);
    expect(stage.lines(/dead|end:/)).toEqual([]);
    expect(stage.lines(/suspect|alive/).slice(1)).toEqual(['61000 suspect', '70250 alive']);
  });

  it('is alive again by what arrives during the second look', () => {
    const { stage, socket, verdictAt } = openDoomed();
    stage.advanceTo(verdictAt - 1);
    socket.receive('text');
    stage.advanceTo(verdictAt + 1);
    expect(stage.lines(/dead|end:/)).toEqual([]);
  });

  it('stays alive if it was the server that did not run', () => {
    const { stage, socket } = openDoomed();
    stage.advanceTo(61_000);
    stage.scheduler.stall(100_000); // the verdict of 80 s is 80 s late
    socket.peer.answersPings = true;
    stage.advanceTo(161_000);
    expect(stage.log.slice(-3)).toEqual(['161000 stall', '161000 Ping wb-0.4', '161000 alive']);
  });
});

describe('the end', () => {
  it('is emitted with the close code and its text', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    stage.advanceTo(1_000);
    socket.end(4001, 'bye');
    expect(stage.log.at(-1)).toBe('1000 end: closed 4001 bye');
  });

  it('comes within the bound if the closing handshake does not: no Ping gives more time', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    stage.advanceTo(1_000);
    socket.close(1001);
    stage.advanceTo(HOUR);
    expect(stage.log.slice(2)).toEqual([
      '1000 closes 1001',
      '31000 suspect',
      '50250 dead: ping-timeout',
      '50250 end: ping-timeout',
      '50250 terminates',
    ]);
  });

  it.each([
    ['before', 'closed 1000'],
    ['after', 'ping-timeout'],
  ])(
    'is emitted once if the client closes at the same instant, %s the verdict',
    (when, emitted) => {
      const { stage, socket, verdictAt } = openDoomed();
      const close = () => stage.scheduler.at(verdictAt, () => socket.end(1000));
      if (when === 'before') close();
      stage.advanceTo(verdictAt - 1); // its timer waits from here
      if (when === 'after') close();
      stage.advanceTo(HOUR);
      expect(stage.lines(/end:/)).toEqual([`80250 end: ${emitted}`]);
      expect(stage.scheduler.pending).toBe(0);
    },
  );

  it.each(['dead', 'end', 'suspect', 'alive', 'ping'] as const)(
    'is emitted once if a listener of `%s` detaches',
    (name) => {
      const stage = new Stage();
      stage.heartbeat.on(name, ({ connection }) => connection.detach());
      stage.server.accept(stage.socket({ answersPings: false }));
      stage.advanceTo(HOUR);
      expect(stage.lines(/end:/)).toHaveLength(1);
      expect(stage.heartbeat.connections.size).toBe(0);
      expect(stage.scheduler.pending).toBe(0);
    },
  );

  it('is final if a listener causes it while a ping of the client is being answered', () => {
    const { stage, socket } = openDoomed();
    stage.advanceTo(61_000); // suspect
    stage.heartbeat.on('alive', ({ connection }) => connection.detach());
    socket.receive(PING);
    stage.advanceTo(HOUR);
    expect(stage.log.slice(-3)).toEqual([
      '61000 sends !wb',
      '61000 alive',
      '61000 end: detached  the heartbeat was detached',
    ]);
    expect(stage.scheduler.pending).toBe(0);
  });

  it.each([
    ['a timeout', (stage: Stage) => stage.advanceTo(HOUR), 'ping-timeout'],
    ['a close', (_: Stage, { socket }: Connected) => socket.end(1000), 'closed 1000'],
    [
      'detach',
      (_: Stage, { connection }: Connected) => connection.detach(),
      'detached  the heartbeat was detached',
    ],
  ])('leaves neither timers nor listeners nor properties: %s', (_, end, emitted) => {
    const stage = new Stage({}, new VirtualServer({ clientTracking: false }));
    const bare = tracesOf(stage.socket({ answersPings: false }));
    const connected = stage.connect({ answersPings: false });
    connected.socket.receive(PING);
    expect(tracesOf(connected.socket)).not.toEqual(bare);
    end(stage, connected);
    expect(stage.lines(/end:/).map((line) => line.replace(/^\d+ end: /, ''))).toEqual([emitted]);
    stage.advanceTo(HOUR + 1);
    expect(tracesOf(connected.socket)).toEqual(bare);
    expect(stage.scheduler.pending).toBe(0);
    connected.socket.emit('message', Buffer.from(PING), false);
    expect(stage.log.at(-1)).toMatch(/application: message \?wb$/);
  });
});

/** Its own properties and its listeners. */
function tracesOf(socket: VirtualSocket): unknown {
  const listeners = socket.eventNames().map((name) => [name, socket.listenerCount(name)]);
  return [Reflect.ownKeys(socket), listeners];
}

describe('ping()', () => {
  it('resolves to the latency of either tier', async () => {
    const stage = new Stage();
    const { socket, connection } = stage.connect(SPEAKING);
    socket.receive(PING);
    stage.advanceTo(1_000);
    expect(connection.transportLatency).toBe(40);
    expect(connection.applicationLatency).toBe(100);
    Object.assign(socket.peer, { latency: 70, lag: 10 });
    const pings = [
      connection.ping(),
      connection.ping({ tier: 'transport' }),
      connection.ping({ tier: 'application' }),
    ];
    stage.advanceTo(2_000);
    expect(await Promise.all(pings)).toEqual([70, 70, 80]);
    expect(connection.transportLatency).toBe(70);
    expect(connection.applicationLatency).toBe(80);
  });

  it.each([
    ['transport', 'Ping wb-0.mine', 40],
    ['application', 'sends ?wb.mine', 100],
  ] as const)('of the %s tier carries the id that it is given', async (tier, sent, latency) => {
    const stage = new Stage();
    const { socket, connection } = stage.connect(SPEAKING);
    socket.receive(PING);
    stage.advanceTo(1_000);
    const ping = connection.ping({ tier, id: 'mine' });
    stage.advanceTo(2_000);
    expect(await ping).toBe(latency);
    const again = connection.ping({ tier, id: 'mine' });
    stage.advanceTo(3_000);
    expect(await again).toBe(latency);
    expect(stage.lines(/mine/)).toEqual([`1000 ${sent}`, `2000 ${sent}`]);
  });

  it('refuses an id that is in flight on its tier, or is not valid', async () => {
    const stage = new Stage();
    const { socket, connection } = stage.connect(SPEAKING);
    socket.receive(PING);
    stage.advanceTo(1_000);
    const tiers = ['transport', 'application'] as const;
    const pings = tiers.map((tier) => connection.ping({ tier, id: 'mine' }));
    for (const tier of tiers) {
      for (const id of ['mine', 'a.b']) {
        await expect(connection.ping({ tier, id })).rejects.toBeInstanceOf(InvalidOptionError);
      }
    }
    stage.advanceTo(2_000);
    expect(await Promise.all(pings)).toEqual([40, 100]);
    expect(stage.lines(/mine|a\.b/)).toHaveLength(2);
  });

  it('emits events that name the tier', () => {
    const stage = new Stage();
    const beats: unknown[] = [];
    stage.heartbeat.on('ping', ({ tier, id }) => beats.push(['ping', tier, id]));
    stage.heartbeat.on('pong', ({ tier, id, latency, sampled }) =>
      beats.push(['pong', tier, id, latency, sampled]),
    );
    const { socket } = stage.connect(SPEAKING);
    stage.advanceTo(1_000);
    socket.receive(PING);
    stage.advanceTo(2_000);
    expect(beats).toEqual([
      ['ping', 'transport', '1'],
      ['pong', 'transport', '1', 40, true],
      ['ping', 'application', '1'],
      ['pong', 'application', '1', 100, true],
    ]);
  });

  it('refuses the application tier of a client that has sent no ping, and sends it nothing', async () => {
    const stage = new Stage();
    const { socket, connection } = stage.connect(SPEAKING);
    socket.receive('text');
    socket.receive(`${PING}x`);
    socket.receive(PONG); // an answer to nothing is not yet a ping
    socket.receivePing('wb');
    const ping = connection.ping({ tier: 'application' });
    await expect(ping).rejects.toBeInstanceOf(ConnectionClosedError);
    await expect(ping).rejects.toThrow('the client has sent no application ping');
    stage.advanceTo(HOUR);
    expect(stage.lines(/sends/)).toEqual([]);
  });

  it.each(['transport', 'application'] as const)(
    'gives up the %s tier after pingTimeout, or after its own timeout',
    async (tier) => {
      const stage = new Stage();
      const { socket, connection } = stage.connect({ latency: 100 });
      socket.receive(PING);
      stage.advanceTo(1_000);
      socket.peer.answersPings = false;
      const settled: string[] = [];
      const ask = (name: string, timeout?: number) => {
        // As JavaScript gives it: an option that is there and undefined.
        const options = { tier, timeout } as { tier: typeof tier };
        connection.ping(options).catch(({ code }) => {
          settled.push(`${name}: ${code} at ${stage.scheduler.now()}`);
        });
      };
      ask('short', 5_000);
      ask('default');
      for (let at = 2_000; at <= 21_250; at += 250) {
        stage.scheduler.at(at, () => socket.receive('alive'));
      }
      for (let now = 1_000; now <= 21_250; now += 250) {
        stage.advanceTo(now);
        await setImmediate();
      }
      expect(settled).toEqual([
        'short: ERR_PING_TIMEOUT at 6250',
        'default: ERR_PING_TIMEOUT at 21250',
      ]);
    },
  );

  it('waits without limit if pingTimeout is off, in both tiers', async () => {
    const stage = new Stage({ pingTimeout: false });
    const { socket, connection } = stage.connect({ answersPings: false });
    socket.receive(PING);
    const pings = [connection.ping(), connection.ping({ tier: 'application' })];
    stage.advanceTo(HOUR);
    socket.end(1000);
    for (const outcome of await Promise.allSettled(pings)) {
      expect(outcome).toMatchObject({ reason: { code: 'ERR_CONNECTION_CLOSED', closeCode: 1000 } });
    }
  });

  it('rejects bad options, and by its signal', async () => {
    const stage = new Stage();
    const { socket, connection } = stage.connect({ answersPings: false });
    socket.receive(PING);
    for (const tier of ['transport', 'application'] as const) {
      await expect(connection.ping({ tier, timeout: -1 })).rejects.toBeInstanceOf(
        InvalidOptionError,
      );
      const controller = new AbortController();
      const ping = connection.ping({ tier, signal: controller.signal });
      controller.abort(new Error('enough'));
      await expect(ping).rejects.toThrow('enough');
    }
  });

  it.each([
    ['the close', ({ socket }: Connected) => socket.end(4001, 'bye'), 'bye'],
    ['detach', ({ connection }: Connected) => connection.detach(), 'the heartbeat was detached'],
  ])('is settled by %s, and refused after it', async (_, end, reason) => {
    const stage = new Stage();
    const connected = stage.connect({ answersPings: false });
    const { socket, connection } = connected;
    socket.receive(PING);
    const pings = [connection.ping(), connection.ping({ tier: 'application' })];
    const settled = Promise.allSettled(pings);
    end(connected);
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { reason } });
    }
    await expect(connection.ping()).rejects.toBeInstanceOf(ConnectionClosedError);
    await expect(connection.ping({ tier: 'application' })).rejects.toBeInstanceOf(
      ConnectionClosedError,
    );
    expect(stage.scheduler.pending).toBe(0);
  });

  it('is rejected by the death of the peer, in both tiers', async () => {
    const { stage, socket, connection } = openDoomed();
    socket.receive(PING);
    const pings = [
      connection.ping({ timeout: false }),
      connection.ping({ tier: 'application', timeout: false }),
    ];
    const settled = Promise.allSettled(pings);
    stage.advanceTo(HOUR);
    const codes = (await settled).map((outcome) =>
      outcome.status === 'rejected' ? outcome.reason.code : outcome.value,
    );
    expect(codes).toEqual(['ERR_PING_TIMEOUT', 'ERR_CONNECTION_CLOSED']);
  });
});
