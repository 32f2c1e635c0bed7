import { describe, expect, it } from 'vitest';
import { HeartbeatDriver, type HeartbeatPort } from '../../src/driver/heartbeat-driver.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';

function setUp(buffered?: () => number) {
  const scheduler = new VirtualScheduler();
  const log: unknown[] = [];
  const shell: HeartbeatPort = {
    sendPing: ({ id }) => log.push(['ping', id]),
    sendPong: (id) => log.push(['pong', id]),
    emit: (name) => log.push(name),
    ...(buffered && { buffered }),
  };
  const options = { pingInterval: 25_000, pingTimeout: 10_000, jitter: 0 };
  const pacemaker = new HeartbeatDriver(options, scheduler, shell);
  pacemaker.open();
  return { scheduler, log, pacemaker };
}

describe('HeartbeatDriver', () => {
  it('passes orders and news on to its shell', () => {
    const { scheduler, log, pacemaker } = setUp();
    pacemaker.receiveBeat({ type: 'ping', id: 'x' });
    scheduler.advance(25_000);
    expect(log).toEqual(['alive', ['pong', 'x'], ['ping', '1'], 'ping']);
  });

  it('wakes itself, until it is closed', () => {
    const { scheduler, pacemaker } = setUp();
    expect(scheduler.pending).toBe(1);
    scheduler.advance(35_250);
    expect(pacemaker.heartbeat.status).toBe('dead');
    expect(scheduler.pending).toBe(0);
  });

  it('asks its shell what waits to leave, and takes none for nothing', () => {
    const [held, free] = [setUp(() => 1), setUp(() => 0)];
    for (const { scheduler } of [held, free]) scheduler.advance(40_000);
    expect(held.pacemaker.heartbeat.status).toBe('suspect');
    expect(free.pacemaker.heartbeat.status).toBe('dead');
  });
});
