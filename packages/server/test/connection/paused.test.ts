import { describe, expect, it } from 'vitest';
import { Stage } from '../virtual-server.ts';

const HOUR = 3_600_000;

/** A connection that the application pauses at 1 s. Nothing that its peer sends is read any more. */
function openPaused(options: object = {}, firstBeat?: string) {
  const stage = new Stage(options);
  stage.heartbeat.on('unresponsive', () => stage.note('unresponsive'));
  const { socket, connection } = stage.connect({ answersBeats: true, latency: 40 });
  if (firstBeat !== undefined) socket.receive(firstBeat);
  stage.advanceTo(1_000);
  const pausable = Object.assign(socket, { isPaused: true });
  Object.assign(socket.peer, { answersPings: false, answersBeats: false });
  const resume = (speaks: boolean) => {
    pausable.isPaused = false;
    Object.assign(socket.peer, { answersPings: speaks, answersBeats: speaks });
  };
  return { stage, socket, connection, resume };
}

describe('a connection that the application has paused', () => {
  it.each([
    ['without pings of its own', undefined],
    ['with a page', '\u0005wb.1;v=1'],
  ])('is judged by neither tier, and still pinged: a client %s', (_, firstBeat) => {
    const { stage, connection } = openPaused({}, firstBeat);
    stage.advanceTo(HOUR);
    expect(stage.lines(/suspect|dead|unresponsive|end:/)).toEqual([]);
    expect(connection.status).toBe('alive');
    expect(stage.lines(/Ping/).length).toBeGreaterThan(HOUR / 31_000);
  });

  it.each([
    ['without pings of its own', undefined],
    ['with a page', '\u0005wb.1;v=1'],
  ])('is pinged again afterwards, and stays alive if it answers: a client %s', (_, firstBeat) => {
    const { stage, connection, resume } = openPaused({}, firstBeat);
    stage.advanceTo(600_000);
    resume(true);
    const { length } = stage.log;
    stage.advanceTo(601_000);
    expect(stage.log.slice(length).some((line) => line.includes('Ping'))).toBe(true);
    stage.advanceTo(HOUR);
    expect(stage.lines(/suspect|dead|unresponsive|end:/)).toEqual([]);
    expect(connection.status).toBe('alive');
  });

  it('is dead afterwards if it does not answer', () => {
    const { stage, resume } = openPaused({ pingInterval: 30_000, pingTimeout: 20_000 });
    stage.advanceTo(600_000);
    resume(false);
    stage.advanceTo(600_000 + 1_000 + 20_000 + 1_000);
    expect(stage.lines(/dead/)).toHaveLength(1);
  });

  it('is not closed for a page that may have sent something', () => {
    const options = { whenUnresponsive: 'report', maxUnresponsive: 60_000 };
    const { stage, socket, resume } = openPaused(options, '\u0005wb.1;v=1;state=frozen');
    stage.advanceTo(600_000);
    expect(stage.lines(/closes|end:/)).toEqual([]);
    resume(true);
    socket.receive('\u0005wb.2;state=visible');
    stage.advanceTo(HOUR);
    expect(stage.lines(/closes|end:/)).toEqual([]);
  });
});
