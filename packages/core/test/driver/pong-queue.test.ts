import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { PongQueue } from '../../src/driver/pong-queue.ts';
import { encodeBeat } from '../../src/protocol/beat.ts';
import { ReadyState } from '../../src/socket.ts';
import { inPage } from '../in-page.ts';

interface Options {
  readonly maxBufferedBytes?: number;
  readonly freeBytes?: number;
}

/** An outlet over a buffer that drains when the test says so. */
function setUp({ maxBufferedBytes = 1_000, freeBytes = 0 }: Options = {}, Queue = PongQueue) {
  const scheduler = new VirtualScheduler();
  const socket = {
    readyState: ReadyState.Open as number,
    bufferedAmount: 0,
    isMidMessage: false,
  };
  const sent: string[] = [];
  const left: (() => void)[] = [];
  const outlet = new Queue(socket, {
    scheduler,
    maxBufferedBytes,
    freeBytes,
    isMidMessage: ({ isMidMessage }) => isMidMessage,
    bufferedBytes: ({ bufferedAmount }) => bufferedAmount,
    send: (_, pong, whenSent) => {
      sent.push(`${scheduler.now()} ${encodeBeat(pong).slice(1)}`);
      left.push(whenSent);
      socket.bufferedAmount += 10;
    },
  });
  return { scheduler, socket, sent, left, outlet };
}

describe('PongQueue', () => {
  it('sends the first pong at once, with its values', () => {
    const { outlet, sent } = setUp();
    outlet.values = { session: 'ok' };
    outlet.send('a');
    expect(sent).toEqual(['0 wb.a;session=ok']);
  });

  it('keeps one pong in the buffer and only the latest one after it', () => {
    const { outlet, scheduler, socket, sent } = setUp();
    for (let n = 0; n < 1_000; n++) outlet.send(`${n}`);
    scheduler.advance(10_000);
    expect(sent).toEqual(['0 wb.0']);
    socket.bufferedAmount = 0;
    scheduler.advance(250);
    expect(sent).toEqual(['0 wb.0', '10250 wb.999']);
    expect(scheduler.pending).toBe(0);
  });

  it('sends the pong that waits as soon as the runtime says that the one before has left', () => {
    const { outlet, scheduler, sent, left } = setUp();
    for (const id of ['1', '2', '3']) outlet.send(id);
    scheduler.advance(100);
    left[0]?.();
    expect(sent).toEqual(['0 wb.1', '100 wb.3']);
    expect(scheduler.pending).toBe(0);
  });

  it('knows that a pong has left when no more is buffered than was sent after it', () => {
    const { outlet, scheduler, socket, sent } = setUp();
    outlet.send('1');
    socket.bufferedAmount = 500;
    outlet.send('2');
    outlet.sentBehind(490);
    scheduler.advance(250);
    expect(sent).toHaveLength(1);
    outlet.sentBehind(10); // and 500 bytes of what came before have gone
    scheduler.advance(250);
    expect(sent).toEqual(['0 wb.1', '500 wb.2']);
    outlet.send('3');
    scheduler.advance(1_000);
    expect(sent).toHaveLength(2); // what was sent behind the first says nothing of the second
  });

  it('takes no account of what is sent while no pong is in the buffer', () => {
    const { outlet, scheduler, socket, sent } = setUp();
    outlet.sentBehind(1_000);
    outlet.send('1');
    socket.bufferedAmount = 500;
    outlet.send('2');
    scheduler.advance(250);
    expect(sent).toEqual(['0 wb.1']);
  });

  it('sends no pong into a buffer that is fuller than it may be', () => {
    const { outlet, scheduler, socket, sent } = setUp();
    socket.bufferedAmount = 1_001;
    outlet.send('1');
    scheduler.advance(10_000);
    expect(sent).toEqual([]);
    socket.bufferedAmount = 1_000;
    scheduler.advance(250);
    expect(sent).toEqual(['10250 wb.1']);
  });

  it('sends no pong between the fragments of a message, and the latest behind it', () => {
    const { outlet, scheduler, socket, sent } = setUp();
    socket.isMidMessage = true;
    for (const id of ['1', '2']) outlet.send(id);
    scheduler.advance(1_000);
    expect(sent).toEqual([]);
    expect(scheduler.pending).toBe(0);
    socket.isMidMessage = false;
    outlet.flush();
    expect(sent).toEqual(['1000 wb.2']);
  });

  it('sends every pong at once while only a few bytes wait', () => {
    const { outlet, socket, sent } = setUp({ freeBytes: 100 });
    for (let n = 0; n < 50; n++) outlet.send(`${n}`);
    expect(sent).toHaveLength(11); // 10 bytes each
    socket.bufferedAmount = 0;
  });

  it('is empty while no pong waits, here or in the buffer', () => {
    const { outlet, socket, left } = setUp();
    expect(outlet.isIdle).toBe(true);
    outlet.send('1');
    expect(outlet.isIdle).toBe(false);
    socket.bufferedAmount = 0; // it has left, although nothing has reported it yet
    expect(outlet.isIdle).toBe(true);
    socket.bufferedAmount = 10;
    outlet.send('2');
    left[0]?.();
    socket.bufferedAmount = 2_000;
    outlet.send('3');
    expect(outlet.isIdle).toBe(false);
  });

  it.each([
    ['close()', ({ outlet }: ReturnType<typeof setUp>) => outlet.close()],
    [
      'the end of its socket',
      ({ socket, scheduler }: ReturnType<typeof setUp>) => {
        socket.readyState = ReadyState.Closing;
        scheduler.advance(250);
      },
    ],
  ])('drops what waits at %s, and leaves no timer', (_, end) => {
    const stage = setUp();
    stage.socket.bufferedAmount = 2_000;
    stage.outlet.send('1');
    end(stage);
    expect(stage.scheduler.pending).toBe(0);
    stage.socket.bufferedAmount = 0;
    stage.scheduler.advance(10_000);
    expect(stage.sent).toEqual([]);
  });
});

describe('in a bundle for pages', () => {
  it('looks at the buffer alone: a page sends no fragments and hears of nothing that has left', async () => {
    const page = await inPage(() => import('../../src/driver/pong-queue.ts'));
    const { outlet, scheduler, socket, sent, left } = setUp(
      { maxBufferedBytes: 5 },
      page.PongQueue,
    );
    socket.isMidMessage = true;
    outlet.values = { session: 'ok' };
    outlet.send('a');
    outlet.send('b');
    left[0]?.();
    expect(sent).toEqual(['0 wb.a']);
    socket.bufferedAmount = 0;
    scheduler.advance(250);
    expect(sent).toEqual(['0 wb.a', '250 wb.b']);
  });
});
