import { VirtualScheduler } from '@wirebeat/core/testing';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { useHeartbeat, useWebSocket } from '../src/react.ts';
import { FakeServer } from './fake-server.ts';

const scheduler = new VirtualScheduler();
const server = new FakeServer(scheduler);
const own = server.connect();

function Page() {
  const options = { scheduler, WebSocket: server.WebSocket };
  const { socket, readyState, status } = useWebSocket('ws://test/', options);
  const heartbeat = useHeartbeat(own.client, { scheduler });
  return `${socket === undefined} ${readyState} ${status} ${heartbeat.status}`;
}

describe('@wirebeat/client/react on a server', () => {
  it('renders a connection that is not there yet, and makes none', async () => {
    const listeners = own.client.listenerCount;
    expect(renderToString(createElement(Page))).toBe('true 0 idle idle');
    await undefined;
    scheduler.advance(1_000);
    expect(server.links).toEqual([server.last]);
    expect(own.client.listenerCount).toBe(listeners);
    expect(own.beats).toEqual([]);
  });
});
