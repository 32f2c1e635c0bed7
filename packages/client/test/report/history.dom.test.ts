import { VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { CloseRecord } from '../../src/reconnect/close-record.ts';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { History } from '../../src/report/history.ts';
import { FakeServer } from '../fake-server.ts';
import { show } from '../page.ts';

afterEach(() => show(true));

describe('History in a page', () => {
  it('hears what becomes of the page, and the records tell it', () => {
    const scheduler = new VirtualScheduler();
    const server = new FakeServer(scheduler, 'browser');
    const history = new History({ scheduler, WebSocket: server.WebSocket, random: () => 0.5 });
    const socket = new ReconnectingWebSocket('ws://test/', [], history.options);
    const records: CloseRecord[] = [];
    socket.addEventListener('retry', ({ detail }) => records.push(detail.cause));
    scheduler.advance(1_000);
    server.last.reset();
    scheduler.advance(1_000);
    show(false);
    scheduler.advance(1_000);
    server.last.reset();
    expect(records).toMatchObject([{ hidden: false }, { hidden: true }]);
    const report = history.report();
    expect(report).toContain('1 s ago  The page became hidden.');
    expect(report).toMatch(
      /0 ms ago {2}The connection ended without a Close frame \(.*, the page was hidden\)/,
    );
    socket.close();
  });
});
