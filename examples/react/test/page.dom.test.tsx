import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { attachHeartbeat } from '@wirebeat/server';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { Page } from '../src/page.tsx';

/** The machine may be busy. */
const WAIT = 5_000 * Number(process.env['HEARTBEAT_TEST_TIME_FACTOR'] ?? 1);

it('shows the latency, and what the server echoes', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const heartbeat = attachHeartbeat(server);
  server.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(`echo of ${data}`));
  });
  await once(server, 'listening');
  const place = document.body.appendChild(document.createElement('div'));
  const root = createRoot(place);
  const { port } = server.address() as AddressInfo;
  root.render(
    <StrictMode>
      <Page url={`ws://127.0.0.1:${port}/`} />
    </StrictMode>,
  );
  await vi.waitFor(() => expect(place.textContent).toMatch(/▮ good.* \d+ ms/), WAIT);
  expect(server.clients.size).toBe(1);
  place.querySelector('button')?.click();
  await vi.waitFor(
    () => expect(place.querySelector('pre')?.textContent).toMatch(/^echo of /),
    WAIT,
  );
  root.unmount();
  await vi.waitFor(() => expect(server.clients.size).toBe(0), WAIT);
  heartbeat.detach();
  server.close();
});
