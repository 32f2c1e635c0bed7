import { describe, expect, it } from 'vitest';
import { Stage } from '../virtual-server.ts';

const PING = '\u0005wb';
const FIRST = `${PING}.1;v=1`;
const HOUR = 3_600_000;

/** A connection whose page has answered, and is silent from 1 s on; its layer answers. */
function openFrozen(options: object = {}) {
  const stage = new Stage(options);
  stage.heartbeat.on('unresponsive', ({ silentFor }) => stage.note(`unresponsive: ${silentFor}`));
  stage.heartbeat.on('responsive', () => stage.note('responsive'));
  const { socket, connection } = stage.connect({ answersBeats: true, latency: 40 });
  socket.receive(FIRST);
  stage.advanceTo(1_000);
  socket.receive('last words');
  socket.peer.answersBeats = false;
  const { length } = stage.log;
  const after = () => stage.log.slice(length);
  return { stage, socket, connection, after };
}

describe('a page that is silent', () => {
  it('is pinged before its WebSocket layer, which is not pinged if the page answers', () => {
    const { stage, socket, after } = openFrozen();
    socket.peer.answersBeats = true;
    stage.advanceTo(120_000);
    // 27 s after the last that it sent, or was sent.
    expect(after()).toEqual([
      '27000 sends ?wb',
      '54000 sends ?wb',
      '81000 sends ?wb',
      '108000 sends ?wb',
    ]);
  });

  it.each([
    ['both ways', true, []],
    ['one way alone', false, ['27000 sends ?wb', '54000 sends ?wb', '81000 sends ?wb']],
  ])('is not pinged if messages prove both directions: %s', (_, answers, asked) => {
    const { stage, socket, after } = openFrozen();
    socket.peer.answersBeats = true;
    for (let at = 20_000; at <= 100_000; at += 20_000) {
      stage.scheduler.at(at, () => {
        socket.receive('a message');
        if (answers) socket.send('its answer');
      });
    }
    stage.advanceTo(100_000);
    expect(after().filter((line) => /\?|Ping/.test(line))).toEqual(asked);
  });

  it('is unresponsive while its WebSocket layer answers, emitted once, and not terminated', () => {
    const { stage, connection, after } = openFrozen();
    expect(connection.isResponsive).toBe(true);
    stage.advanceTo(59_000);
    expect(after()).toEqual([
      '27000 sends ?wb',
      '31000 Ping wb-0',
      '47250 unresponsive: 46250', // what the page said last came at 1 s
    ]);
    expect(connection.isResponsive).toBe(false);
    stage.advanceTo(HOUR);
    expect(stage.lines(/unresponsive/)).toHaveLength(1);
    expect(stage.lines(/sends/)).toHaveLength(3); // it is not asked either
    expect(connection.status).toBe('alive');
  });

  it.each([
    ['a message', 'text'],
    ['a ping', PING],
    ['a pong', '\u0006wb'],
  ])('is responsive again once it sends anything: %s', (_, text) => {
    const { stage, socket, connection } = openFrozen();
    stage.advanceTo(100_000);
    socket.peer.answersBeats = true;
    socket.receive(text);
    expect(stage.lines(/responsive/).slice(1)).toEqual(['100000 responsive']);
    expect(connection.isResponsive).toBe(true);
    stage.advanceTo(200_000);
    expect(stage.lines(/responsive/)).toHaveLength(2);
    // And is asked again, and may fall silent again.
    socket.peer.answersBeats = false;
    stage.advanceTo(300_000);
    expect(stage.lines(/responsive/)).toHaveLength(3);
  });

  it('is not unresponsive on a dead connection: the transport tier decides that', () => {
    const { stage, socket } = openFrozen();
    socket.peer.answersPings = false;
    stage.advanceTo(HOUR);
    expect(stage.lines(/responsive|dead|end:/)).toEqual([
      '51250 dead: ping-timeout',
      '51250 end: ping-timeout',
    ]);
    expect(stage.scheduler.pending).toBe(0);
  });

  it('is unresponsive as soon as its WebSocket layer answers, even if that is late', () => {
    const { stage, socket } = openFrozen();
    socket.peer.latency = 19_000; // its Pong comes after the page's time was over
    stage.advanceTo(60_000);
    expect(stage.lines(/responsive/)).toEqual(['50000 unresponsive: 49000']);
  });

  it('is not unresponsive if it has never answered, and is not pinged again', async () => {
    const stage = new Stage();
    const emitted: unknown[] = [];
    stage.heartbeat.on('unresponsive', (event) => emitted.push(event));
    const { socket, connection } = stage.connect({ latency: 40 });
    for (let at = 0; at < HOUR; at += 60_000) {
      const state = at === 0 ? '' : ';state=hidden';
      stage.scheduler.at(at, () => socket.receive(`${PING}${state}`));
    }
    stage.advanceTo(HOUR - 1);
    expect(emitted).toEqual([]);
    // A ping with an id, and a bare one for who answers constants.
    expect(stage.lines(/sends \?/)).toEqual(['0 sends ?wb.1', '3000 sends ?wb']);
    // Until it answers one.
    socket.peer.answersBeats = true;
    const latency = connection.ping({ tier: 'application' });
    stage.advanceTo(HOUR + 100_000);
    expect(await latency).toBe(40);
    expect(stage.lines(/sends \?/).length).toBeGreaterThan(4);
  });

  it('is not unresponsive while it sends, even if it no longer answers', () => {
    const { stage, socket } = openFrozen();
    for (let at = 2_000; at < HOUR; at += 1_000) {
      stage.scheduler.at(at, () => socket.receive('text'));
    }
    stage.advanceTo(HOUR);
    expect(stage.lines(/responsive/)).toEqual([]);
  });

  it('can still be pinged', async () => {
    const { stage, socket, connection } = openFrozen();
    stage.advanceTo(100_000);
    socket.peer.answersBeats = true;
    const latency = connection.ping({ tier: 'application' });
    stage.advanceTo(101_000);
    expect(await latency).toBe(40);
    expect(connection.isResponsive).toBe(true);
  });
});

describe('a page that says what it is', () => {
  it('has 75 s to answer while it is hidden', () => {
    const { stage, socket } = openFrozen();
    socket.receive(`${PING};state=hidden`);
    stage.advanceTo(HOUR);
    // Asked 27 s after 1 s, judged 75 s later.
    expect(stage.lines(/responsive/)).toEqual(['103250 unresponsive: 102250']);
  });

  it('is neither pinged nor judged while it is frozen, but its connection is', () => {
    const { stage, socket } = openFrozen();
    socket.receive(`${PING}.2;state=frozen`);
    const { length } = stage.log;
    stage.advanceTo(HOUR);
    expect(stage.log.slice(length).filter((line) => !line.includes('Ping'))).toEqual([]);
    socket.peer.answersPings = false;
    stage.advanceTo(HOUR + 51_000);
    expect(stage.lines(/dead/)).toHaveLength(1);
  });

  it('is judged like any other once it is visible again', () => {
    const { stage, socket } = openFrozen();
    socket.receive(`${PING}.2;state=frozen`);
    stage.advanceTo(HOUR);
    socket.receive(`${PING}.3;state=visible`);
    stage.advanceTo(HOUR + 60_000);
    expect(stage.lines(/responsive/)).toEqual([`${HOUR + 27_000 + 20_250} unresponsive: 47250`]);
  });

  it('stays what it was if it sends an unknown state', () => {
    const { stage, socket } = openFrozen();
    socket.receive(`${PING}.2;state=sleepy`);
    stage.advanceTo(60_000);
    expect(stage.lines(/responsive/)).toHaveLength(1);
  });
});

describe('whenUnresponsive and maxUnresponsive', () => {
  const ended = (at: number) => [
    `${at} closes 3008 the page does not answer`,
    `${at} pauses`,
    `${at} end: unresponsive 3008 the page does not answer`,
    `${at + 1_000} terminates`,
  ];

  it('close it at once', () => {
    const { stage } = openFrozen({ whenUnresponsive: 'terminate' });
    stage.advanceTo(HOUR);
    expect(stage.lines(/closes|pauses|end:|terminates/)).toEqual(ended(47_250));
    expect(stage.scheduler.pending).toBe(0);
  });

  it('close it after its time', () => {
    const { stage } = openFrozen({ maxUnresponsive: 600_000 });
    stage.advanceTo(HOUR);
    expect(stage.lines(/closes|pauses|end:|terminates/)).toEqual(ended(647_250));
  });

  it('close a frozen one after its time, unless it sends something', () => {
    const { stage, socket } = openFrozen({ maxUnresponsive: 600_000 });
    socket.receive(`${PING}.2;state=frozen`);
    stage.advanceTo(500_000);
    socket.receive('text');
    socket.receive(`${PING}.3;state=frozen`);
    stage.advanceTo(1_099_999);
    expect(stage.lines(/end:/)).toEqual([]);
    stage.advanceTo(HOUR);
    expect(stage.lines(/closes|pauses|end:|terminates/)).toEqual(ended(1_100_000));
  });

  it('leave one alone that was frozen for a while', () => {
    const { stage, socket } = openFrozen({ maxUnresponsive: 600_000 });
    socket.peer.answersBeats = true;
    socket.receive(`${PING}.2;state=frozen`);
    stage.advanceTo(500_000);
    socket.receive(`${PING}.3;state=visible`);
    stage.advanceTo(HOUR);
    expect(stage.lines(/end:/)).toEqual([]);
  });

  it('leave no timer if the connection ends or is detached meanwhile', () => {
    for (const end of ['close', 'detach']) {
      const { stage, socket } = openFrozen({ maxUnresponsive: 600_000 });
      stage.advanceTo(100_000);
      if (end === 'close') socket.end(1000);
      else stage.heartbeat.detach();
      expect(stage.scheduler.pending).toBe(0);
    }
  });

  it('ping no page if they are off', () => {
    const { stage, connection } = openFrozen({ whenUnresponsive: false });
    stage.advanceTo(HOUR);
    expect(stage.lines(/sends \?/)).toEqual(['0 sends ?wb.1']); // a first latency
    expect(connection.applicationLatency).toBe(40);
    expect(stage.lines(/responsive/)).toEqual([]);
  });

  it.each([
    [{ whenUnresponsive: 'kill' }, "`whenUnresponsive` to be 'report', 'terminate' or false"],
    [{ whenDead: false }, "`whenDead` to be 'terminate' or 'report'"],
    [{ maxUnresponsive: 0 }, '`maxUnresponsive` to be a number > 0'],
  ])('cannot be %o', (options, message) => {
    expect(() => new Stage(options as never)).toThrow(`Expected ${message}`);
  });
});

describe('whenDead', () => {
  it('leaves a dead socket to the application if it is `report`', () => {
    const stage = new Stage({ whenDead: 'report' });
    stage.connect({ answersPings: false });
    stage.advanceTo(HOUR);
    expect(stage.lines(/dead|end:|terminates/)).toEqual([
      '20250 dead: ping-timeout',
      '20250 end: ping-timeout',
    ]);
  });
});
