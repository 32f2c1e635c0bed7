import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PingPromises } from '../../../core/src/driver/ping-promises.ts';
import { Stage } from '../virtual-server.ts';

const PING = '\u0005wb';
const FIRST = `${PING}.1;v=1`;
const SPEAKING = { answersBeats: true, latency: 40 };

/** The beats that say something of timing; whether pings of ours have an id says nothing of it. */
function told(stage: Stage): string[] {
  return stage.lines(/ping(Interval|Timeout)=/).map((line) => line.replace(/\?wb\.\d+/, '?wb'));
}

/** The first pong that a server with these options sends. */
function welcome(options: object): string {
  const stage = new Stage(options);
  stage.connect().socket.receive(FIRST);
  return stage.lines(/sends !/)[0] ?? '';
}

describe('the first pong', () => {
  it.each([
    [{}, ''],
    [{ pingInterval: 12_000 }, ';pingInterval=10000'],
    [{ pingInterval: 100 }, ';pingInterval=1000'],
    [{ pingInterval: 600_000 }, ';pingInterval=120000'],
    [{ pingInterval: 12_000, advertise: false }, ''],
    [{ pingInterval: false }, ''],
    [{ pingInterval: 12_000, advertise: { pingInterval: 5_000 } }, ';pingInterval=5000'],
    [{ advertise: { pingTimeout: 15_000 } }, ';pingTimeout=15000'],
    [
      { advertise: { pingInterval: 5_000.4, pingTimeout: 15_000 } },
      ';pingInterval=5000;pingTimeout=15000',
    ],
  ])('of a server with %o says `%s`', (options, values) => {
    expect(welcome(options)).toBe(`0 sends !wb.1${values}`);
  });

  it('says it once, and to a ping with an id', () => {
    const stage = new Stage({ pingInterval: 12_000 });
    const { socket } = stage.connect();
    for (const ping of [PING, `${PING}.1;v=1`, `${PING}.2;v=1`]) socket.receive(ping);
    expect(stage.lines(/sends !/)).toEqual([
      '0 sends !wb',
      '0 sends !wb.1;pingInterval=10000',
      '0 sends !wb.2',
    ]);
  });

  it('and every pong has the clock for who asks for it', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    const clock = vi.spyOn(Date, 'now');
    for (const instant of [1_700_000_000_000, 1_700_000_000_007])
      clock.mockReturnValueOnce(instant);
    socket.receive(`${PING}.1;clock=1`);
    socket.receive(`${PING}.2;clock=2`);
    socket.receive(`${PING};clock=1`);
    clock.mockRestore();
    expect(stage.lines(/sends !/)).toEqual([
      '0 sends !wb.1;received=1700000000000;sent=1700000000007',
      '0 sends !wb.2',
      '0 sends !wb',
    ]);
  });
});

describe('advertise', () => {
  it('makes the server wait 1.2 times as long as its clients', () => {
    const stage = new Stage({ advertise: { pingInterval: 10_000 } });
    stage.connect();
    stage.advanceTo(30_000);
    expect(stage.lines(/Ping/)).toEqual(['0 Ping wb-0.1', '12000 Ping wb-0', '24000 Ping wb-0']);
  });

  it.each([
    [{ pingInterval: 999 }, '`pingInterval` to be a number in [1000, 120000]'],
    [{ pingInterval: 120_001 }, '`pingInterval` to be a number in [1000, 120000]'],
    [{ pingTimeout: 60_001 }, '`pingTimeout` to be a number in [1000, 60000]'],
    [{}, '`advertise` to be an object that has a pingInterval or pingTimeout'],
    [true, '`advertise` to be an object'],
    [{ retryAfter: 1 }, 'Unknown option `retryAfter`'],
  ])('refuses %o', (advertise, message) => {
    expect(() => new Stage({ advertise } as never)).toThrow(message);
  });
});

describe('update', () => {
  it('tells those that have spoken by a ping, spread over one interval, and others at their first', () => {
    const stage = new Stage({ random: () => 0 });
    const clients = [1, 2, 3, 4].map(() => stage.connect(SPEAKING).socket);
    for (const client of clients.slice(0, 2)) client.receive(FIRST);
    stage.connect(); // a foreign one
    const { length } = stage.log;
    stage.heartbeat.update({ pingInterval: 20_000, pingTimeout: 15_000 });
    expect(stage.log).toHaveLength(length);
    stage.advanceTo(20_000);
    clients[2]?.receive(FIRST);
    expect(told(stage)).toEqual([
      '0 sends ?wb;pingInterval=20000;pingTimeout=15000',
      '4000 sends ?wb;pingInterval=20000;pingTimeout=15000',
      '20000 sends !wb.1;pingInterval=20000;pingTimeout=15000',
    ]);
  });

  it.each([
    ['a client that sends no application pings', false],
    ['a client whose page is asked first', true],
  ])('forgets no ping that is unanswered: %s', (_, speaks) => {
    const stage = new Stage({ pingInterval: 12_000, pingTimeout: 5_000, jitter: 0 });
    const { socket } = stage.connect(SPEAKING);
    if (speaks) socket.receive(FIRST);
    stage.advanceTo(1_000); // well, so that rows hold it
    Object.assign(socket.peer, { answersPings: false, answersBeats: false });
    const asked = speaks ? 10_900 : 12_100;
    stage.advanceTo(asked); // its next ping has just left
    stage.heartbeat.update({ pingInterval: 20_000 });
    stage.advanceTo(12_000 + 5_000 + 2_000);
    expect(stage.lines(/dead/)).toHaveLength(1);
  });

  it('waits for no answer, so that a page that gives none costs no memory', () => {
    const wait = vi.spyOn(PingPromises.prototype, 'wait');
    onTestFinished(() => wait.mockRestore());
    const stage = new Stage();
    const { socket } = stage.connect({ answersBeats: false });
    socket.receive(FIRST);
    for (let times = 1; times <= 100; times += 1) {
      stage.heartbeat.update({ pingInterval: 20_000 + times });
      stage.advanceTo(times * 60_000);
    }
    expect(stage.lines(/sends \?wb.*pingInterval/)).toHaveLength(100);
    expect(wait).not.toHaveBeenCalled();
  });

  it('reaches a page that was hidden once as it reaches any other', () => {
    const pings = [[], ['hidden'], ['hidden', 'visible'], ['frozen', 'hidden', 'visible']].map(
      (states) => {
        const stage = new Stage({ pingInterval: 10_000, advertise: false });
        const { socket } = stage.connect({ answersBeats: true });
        socket.receive(FIRST);
        for (const state of states) socket.receive(`\u0005wb.s;state=${state}`);
        stage.advanceTo(20_000);
        stage.heartbeat.update({ pingInterval: 100_000 });
        stage.advanceTo(130_000); // it has been told, and the period of then is over
        const { length } = stage.log;
        stage.advanceTo(1_000_000);
        return stage.log.slice(length).filter((line) => line.includes('sends ?wb')).length;
      },
    );
    expect(new Set(pings).size).toBe(1);
    expect(pings[0]).toBe(8); // one in 108 s: nine tenths of 120 s
  });

  it('changes the server too, for each connection from its next beat on', () => {
    const stage = new Stage();
    const { connection } = stage.connect();
    const bound = connection.detectionBound;
    stage.heartbeat.update({ pingInterval: 10_000 });
    expect(connection.detectionBound).toBe(bound - 18_000);
    stage.advanceTo(60_000);
    expect(stage.lines(/Ping/)).toEqual([
      '0 Ping wb-0.1',
      '30000 Ping wb-0',
      '42000 Ping wb-0',
      '54000 Ping wb-0',
    ]);
  });

  it('keeps what is absent, and begins anew where it is called again', () => {
    const stage = new Stage({ advertise: { pingInterval: 10_000 } });
    for (const { socket } of [stage.connect(SPEAKING), stage.connect(SPEAKING)]) {
      socket.receive(FIRST);
    }
    stage.heartbeat.update({ pingTimeout: 20_000 });
    stage.advanceTo(1_000);
    stage.heartbeat.update({ pingTimeout: 30_000 });
    stage.advanceTo(60_000);
    expect(told(stage).slice(2)).toEqual([
      '0 sends ?wb;pingInterval=10000;pingTimeout=20000',
      '1000 sends ?wb;pingInterval=10000;pingTimeout=30000',
      '6000 sends ?wb;pingInterval=10000;pingTimeout=30000',
    ]);
  });

  it('leaves a server silent whose pings are off', () => {
    const stage = new Stage({ pingInterval: false });
    const { socket, connection } = stage.connect();
    stage.heartbeat.update({ pingInterval: 10_000 });
    socket.receive(FIRST);
    stage.advanceTo(100_000);
    expect(connection.detectionBound).toBe(Number.POSITIVE_INFINITY);
    expect(stage.lines(/Ping/)).toEqual([]);
    expect(stage.lines(/sends !/)).toEqual(['0 sends !wb.1;pingInterval=10000']);
  });

  it('refuses what is out of range, and changes nothing', () => {
    const stage = new Stage();
    expect(() => stage.heartbeat.update({ pingInterval: 1 })).toThrow('`pingInterval`');
    expect(() => stage.heartbeat.update({})).toThrow('`advertisement`');
    stage.connect().socket.receive(FIRST);
    expect(stage.lines(/sends !/)).toEqual(['0 sends !wb.1']);
  });

  it('is left off by detach, and by the end of a client', () => {
    const stage = new Stage();
    const clients = [stage.connect(SPEAKING).socket, stage.connect(SPEAKING).socket];
    for (const client of clients) client.receive(FIRST);
    stage.heartbeat.update({ pingInterval: 10_000 });
    clients[0]?.end(1000);
    stage.advanceTo(1_000);
    stage.heartbeat.detach();
    expect(stage.scheduler.pending).toBe(0);
    stage.advanceTo(60_000);
    expect(told(stage)).toEqual([]);
  });
});

/** Blocks the loop while each connection is due, so often. */
function stall(stage: Stage, times: number): void {
  stage.advanceTo(stage.scheduler.now() + 1_000); // its first answers have come
  for (let count = 0; count < times; count += 1) {
    stage.scheduler.stall(35_000);
    stage.advanceTo(stage.scheduler.now() + 1_000);
  }
}

describe('a server that stalls', () => {
  it('asks its clients for half as many pings at the second stall within a minute', () => {
    const stage = new Stage();
    const { socket, connection } = stage.connect(SPEAKING);
    socket.receive(FIRST);
    const bound = connection.detectionBound;
    stall(stage, 1);
    expect(told(stage)).toEqual([]);
    stall(stage, 1);
    expect(told(stage)).toEqual(['73000 sends ?wb;pingInterval=50000']);
    expect(connection.detectionBound).toBe(bound + 30_000);
    // New clients are told at once. After five minutes without a stall all are told again.
    stage.connect().socket.receive(FIRST);
    stage.advanceTo(460_000);
    expect(told(stage).slice(1)).toEqual([
      '74000 sends !wb.1;pingInterval=50000',
      '373000 sends ?wb;pingInterval=25000',
      '385500 sends ?wb;pingInterval=25000',
    ]);
    expect(connection.detectionBound).toBe(bound);
  });

  it.each([
    [10_000, ['20000']],
    [30_000, ['50000']],
    [50_000, []],
    [100_000, []],
  ])(
    'asks for at most 50 s, so that proxies stay: of clients with %i',
    (pingInterval, intervals) => {
      const stage = new Stage({ advertise: { pingInterval }, pingInterval: 30_000 });
      const { socket } = stage.connect(SPEAKING);
      socket.receive(FIRST);
      stall(stage, 2);
      const values = stage.lines(/sends \?.*pingInterval/).map((line) => line.split('=')[1]);
      expect(values).toEqual(intervals);
    },
  );

  it('says nothing where it was told to advertise nothing', () => {
    const stage = new Stage({ advertise: false });
    const { socket, connection } = stage.connect(SPEAKING);
    socket.receive(FIRST);
    const bound = connection.detectionBound;
    stall(stage, 3);
    expect(told(stage)).toEqual([]);
    expect(connection.detectionBound).toBe(bound);
  });

  it('keeps to half as many where what is asked for changes meanwhile', () => {
    const stage = new Stage({ random: () => 0 });
    const { socket } = stage.connect(SPEAKING);
    socket.receive(FIRST);
    stall(stage, 2);
    for (const [asked, slowed] of [
      [10_000, 20_000],
      [40_000, 50_000],
    ]) {
      stage.heartbeat.update({ pingInterval: asked ?? 0 });
      stage.advanceTo(stage.scheduler.now() + 1);
      expect(told(stage).at(-1)).toContain(`pingInterval=${slowed}`);
    }
  });

  it('leaves no timer behind', () => {
    const stage = new Stage();
    stage.connect();
    stall(stage, 2);
    stage.heartbeat.detach();
    expect(stage.scheduler.pending).toBe(0);
  });
});
