import { describe, expect, it } from 'vitest';
import { Stage, type VirtualSocket } from '../virtual-server.ts';

const PING = '\u0005wb';

describe('pongs', () => {
  it('wait while more than maxBufferedBytes wait, and only the latest is sent then', () => {
    const stage = new Stage({ maxBufferedBytes: 1_000 });
    const { socket } = stage.connect();
    socket.bufferedAmount = 1_001;
    for (const id of ['1', '2', '3']) socket.receive(`${PING}.${id}`);
    stage.advanceTo(20_000);
    expect(stage.lines(/sends !/)).toEqual([]);
    socket.bufferedAmount = 1_000;
    stage.advanceTo(20_300);
    expect(stage.lines(/sends !/)).toEqual(['20250 sends !wb.3']);
    socket.receive(PING);
    expect(stage.lines(/sends !/)).toHaveLength(2);
  });

  it('are at most one in the buffer and one before it', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    const sent: (() => void)[] = [];
    socket.whenSent = (callback) => sent.push(callback);
    socket.bufferedAmount = 10;
    for (const id of ['1', '2', '3']) socket.receive(`${PING}.${id}`);
    expect(stage.lines(/sends !/)).toEqual(['0 sends !wb.1']);
    stage.advanceTo(1_000);
    sent[0]?.(); // it has left
    expect(stage.lines(/sends !/)).toEqual(['0 sends !wb.1', '1000 sends !wb.3']);
  });

  it('are sent one by one if the buffer is empty', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    socket.whenSent = () => {};
    for (const id of ['1', '2', '3']) socket.receive(`${PING}.${id}`);
    expect(stage.lines(/sends !/)).toHaveLength(3);
  });

  it('are added to any amount if there is no limit', () => {
    const stage = new Stage({ maxBufferedBytes: false });
    const { socket } = stage.connect();
    socket.bufferedAmount = 1e9;
    socket.receive(PING);
    expect(stage.lines(/sends !/)).toHaveLength(1);
  });

  it.each([
    ['its end', (_: Stage, socket: VirtualSocket) => socket.end(1000)],
    ['detach', (stage: Stage) => stage.heartbeat.detach()],
  ])('that wait are dropped at %s', (_, end) => {
    const stage = new Stage();
    const { socket } = stage.connect({ answersPings: false });
    socket.bufferedAmount = 2 ** 21;
    socket.receive(PING);
    end(stage, socket);
    expect(stage.scheduler.pending).toBe(0);
    socket.bufferedAmount = 0;
    stage.advanceTo(1_000);
    expect(stage.lines(/sends !/)).toEqual([]);
  });

  it('that wait are dropped once the socket is closing', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    socket.bufferedAmount = 2 ** 21;
    socket.receive(PING);
    socket.close(1001);
    socket.bufferedAmount = 0;
    stage.advanceTo(1_000);
    expect(stage.lines(/sends !/)).toEqual([]);
  });
});
