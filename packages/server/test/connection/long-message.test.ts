import { describe, expect, it } from 'vitest';
import { LongMessage } from '../../src/connection/long-message.ts';
import { Stage } from '../virtual-server.ts';

const HOUR = 3_600_000;

/** A connection whose peer has fallen silent at 31 s, and the counter of its bytes. */
function openSilent(options: object = {}) {
  const stage = new Stage(options);
  const wire = { bytesRead: 1_000 };
  const { socket, connection } = stage.connect({}, { socket: wire });
  stage.advanceTo(31_000);
  socket.peer.answersPings = false;
  return { stage, socket, connection, wire };
}

describe('a message that is still arriving', () => {
  it('proves life: no verdict while more of it arrives after each Ping', () => {
    const { stage, wire } = openSilent();
    for (let at = 40_000; at < 170_000; at += 20_000) {
      stage.scheduler.at(at, () => {
        wire.bytesRead += 1;
      });
    }
    stage.advanceTo(170_000);
    expect(stage.lines(/dead/)).toEqual([]);
    expect(stage.lines(/Ping/).slice(2, 4)).toEqual(['60000 Ping wb-0', '90000 Ping wb-0.4']);
  });

  it('proves life for as long as it takes, although no Pong can arrive before it is complete', () => {
    const { stage, wire, connection } = openSilent();
    for (let at = 32_000; at < HOUR; at += 1_000) {
      stage.scheduler.at(at, () => {
        wire.bytesRead += 10;
      });
    }
    stage.advanceTo(HOUR);
    expect(stage.lines(/dead/)).toEqual([]);
    expect(stage.lines(/Ping/).length).toBeLessThan(2.2 * 120); // hardly more than usual
    stage.advanceTo(HOUR + connection.detectionBound);
    expect(stage.lines(/dead/)).toHaveLength(1);
    expect(stage.lines(/stall/)).toEqual([]);
  });

  it('proves nothing if none of it has arrived since the Ping', () => {
    const { stage, wire } = openSilent();
    stage.scheduler.at(59_999, () => {
      wire.bytesRead += 50_000;
    });
    stage.advanceTo(HOUR);
    expect(stage.lines(/dead/)).toEqual(['80250 dead: ping-timeout']);
  });

  it('leads to `dead` within the bound once no more arrives', () => {
    const { stage, wire, connection } = openSilent();
    let last = 0;
    for (const at of [60_010, 61_500, 79_000]) {
      stage.scheduler.at(at, () => {
        wire.bytesRead += 1;
        last = at;
      });
    }
    let deadAt = Number.NaN;
    let silent = Number.NaN;
    stage.heartbeat.on('dead', ({ silentFor }) => {
      deadAt = stage.scheduler.now();
      silent = silentFor;
    });
    stage.advanceTo(HOUR);
    expect(last).toBe(79_000);
    expect([deadAt, silent]).toEqual([110_250, 49_250]); // looked at once, as it became suspect
    expect(deadAt - last).toBeLessThanOrEqual(connection.detectionBound);
  });

  it('is not counted for bytes of complete messages', () => {
    const stage = new Stage();
    const wire = { bytesRead: 0 };
    const { socket } = stage.connect({ latency: 40 }, { socket: wire });
    stage.advanceTo(35_000);
    wire.bytesRead += 10;
    socket.receive('text');
    for (let at = 40_000; at < 100_000; at += 5_000) stage.scheduler.at(at, () => socket.send('x'));
    stage.advanceTo(94_999);
    expect(stage.lines(/Ping/).slice(1)).toEqual(['30000 Ping wb-0', '65000 Ping wb-0']);
  });

  it('causes no Ping while the server drains', () => {
    const { stage, socket, wire } = openSilent({ random: () => 0.9 }); // it is closed late
    for (let at = 32_000; at < 300_000; at += 1_000) {
      stage.scheduler.at(at, () => {
        wire.bytesRead += 10;
      });
    }
    stage.advanceTo(100_500);
    const { length } = stage.log;
    void stage.heartbeat.drain({ within: 600_000 });
    for (let at = 110_000; at < 300_000; at += 10_000) {
      stage.scheduler.at(at, () => socket.send('x'));
    }
    stage.advanceTo(300_000);
    expect(stage.log.slice(length).filter((line) => line.includes('Ping'))).toEqual([]);
  });

  it('may end the heartbeat: a listener of `alive` does', () => {
    const { stage, wire } = openSilent();
    stage.advanceTo(62_000); // suspect
    stage.heartbeat.on('alive', () => stage.heartbeat.detach());
    wire.bytesRead += 1;
    stage.advanceTo(HOUR);
    expect(stage.lines(/alive|end:/).slice(1)).toEqual([
      '80000 alive',
      '80000 end: detached  the heartbeat was detached',
    ]);
    expect(stage.scheduler.pending).toBe(0);
  });
});

describe('LongMessage', () => {
  it('proves life after a Ping, and once in a while cancels the outstanding Pings', () => {
    const counter = { bytesRead: 10 };
    const message = new LongMessage(counter);
    let now = 0;
    const look = (at: number, bytes: number) => {
      now = at;
      counter.bytesRead += bytes;
      return message.look({ now: () => now }, 100);
    };
    expect(look(10, 0)).toBeUndefined();
    expect([look(20, 1), look(30, 0), look(119, 1), look(120, 1)]).toEqual([
      'life',
      undefined,
      'life',
      'pardon',
    ]);
    counter.bytesRead += 1;
    message.asked(); // what came before that is no answer
    expect(look(130, 0)).toBeUndefined();
    expect([look(219, 1), look(220, 1)]).toEqual(['life', 'pardon']);
  });
});
