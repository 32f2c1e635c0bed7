import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RUNS } from '../../../core/test/simulation.ts';
import { Stage } from '../virtual-server.ts';

const PING = '\u0005wb';
const FIRST = `${PING}.1;v=1`;

/** A connection that has spoken. */
function open() {
  const stage = new Stage();
  const { socket, connection } = stage.connect({ answersBeats: true });
  socket.receive(FIRST);
  const part = (text: string, fin: boolean) => socket.send(text, { fin });
  const { length } = stage.log;
  return { stage, socket, connection, part, after: () => stage.log.slice(length) };
}

describe('while the application sends a message in fragments', () => {
  it('pongs wait for its end, and the latest is sent then', () => {
    const { socket, part, after } = open();
    part('one', false);
    for (const id of ['2', '3']) socket.receive(`${PING}.${id}`);
    part('two', false);
    part('three', true);
    socket.receive(`${PING}.4`);
    expect(after()).toEqual([
      '0 sends one',
      '0 sends two',
      '0 sends three',
      '0 sends !wb.3',
      '0 sends !wb.4',
    ]);
  });

  it('a silent page is neither pinged nor judged before its end, and its WebSocket layer is pinged meanwhile', () => {
    const { stage, part, after } = open();
    stage.heartbeat.on('unresponsive', () => stage.note('unresponsive'));
    part('one', false);
    stage.advanceTo(200_000);
    part('two', true);
    stage.advanceTo(200_001);
    const lines = after();
    expect(lines.filter((line) => line.includes('?wb'))).toEqual([
      '200000 sends ?wb',
      expect.stringMatching(/^200000 sends \?wb/),
    ]);
    expect(lines.filter((line) => line.includes('Ping')).length).toBeGreaterThan(4);
    expect(lines.join()).not.toContain('unresponsive');
  });

  it('values for a page are sent at its end', async () => {
    const { stage, connection, part, after } = open();
    part('one', false);
    connection.announce({ retryAfter: '5000' });
    const latency = connection.ping({ tier: 'application' });
    expect(after()).toEqual(['0 sends one']);
    stage.advanceTo(7);
    part('two', true);
    stage.advanceTo(8);
    await expect(latency).resolves.toBe(7);
    expect(after()[2]).toMatch(/^7 sends \?wb\.\w+;retryAfter=5000$/);
  });

  it('a dead peer is detected by protocol Pings', () => {
    const { stage, socket, part, after } = open();
    part('one', false);
    socket.peer.answersPings = false;
    stage.advanceTo(100_000);
    expect(after().slice(-2)).toEqual([
      expect.stringContaining('end: ping-timeout'),
      expect.stringContaining('terminates'),
    ]);
  });

  it('nothing of ours is sent between the fragments, whatever happens when', () => {
    const step = fc.constantFrom('part', 'last', 'ping', 'bare', 'ask', 'tell', 'second', 'minute');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { stage, socket, connection, part, after } = open();
        let isMid = false;
        let asked = 0;
        let unanswered: string | undefined;
        for (const what of steps) {
          const { length } = stage.log;
          if (what === 'part' || what === 'last') part('text', what === 'last');
          else if (what === 'ping' || what === 'bare') {
            asked += 1;
            const id = what === 'ping' ? `.${asked}` : '';
            if (asked < 40) {
              socket.receive(`${PING}${id}`);
              unanswered = `!wb${id}`;
            }
          } else if (what === 'ask') connection.ping({ tier: 'application' }).catch(() => {});
          else if (what === 'tell') connection.announce({ pingInterval: '25000' });
          else stage.advanceTo(stage.scheduler.now() + (what === 'second' ? 1_000 : 60_000));
          const sent = stage.log.slice(length).filter((line) => line.includes('sends'));
          if (what === 'part') isMid = true;
          if (isMid && what !== 'last') {
            for (const line of sent) expect(line).toContain('sends text');
          }
          if (what === 'last') {
            if (isMid && unanswered) expect(sent[1]).toContain(unanswered);
            isMid = false;
          }
          if (!isMid) unanswered = undefined;
        }
        expect(after().join()).not.toContain('end:');
      }),
      { numRuns: RUNS },
    );
  });
});
