import { attachHeartbeat } from '@wirebeat/client';
import { SystemScheduler } from '@wirebeat/core';
import { FakeSocket } from '@wirebeat/core/testing';
import { afterEach, it, vi } from 'vitest';
import { seePong } from './pong.js';

afterEach(() => vi.unstubAllGlobals());

it('sees a pong of what vi.stubGlobal has put there', async () => {
  const scheduler = new SystemScheduler();
  class StubWebSocket extends FakeSocket {
    constructor() {
      super(scheduler);
      const server = new FakeSocket(scheduler);
      attachHeartbeat(server);
      FakeSocket.join(this, server);
    }
  }
  vi.stubGlobal('WebSocket', StubWebSocket);
  await seePong('wss://nowhere.invalid');
});
