// What bundles for pages in production do not check is here, and not in a file that runs against them too.
import { VirtualScheduler } from '@wirebeat/core/testing';
import { expect, it } from 'vitest';
import { attachHeartbeat } from '../src/attach.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import { FakeServer } from './fake-server.ts';

it('refuses what is no dialect', () => {
  const scheduler = new VirtualScheduler();
  const { client } = new FakeServer(scheduler).connect();
  const refusal = { name: 'InvalidOptionError', code: 'ERR_INVALID_OPTION', option: 'dialect' };
  for (const attach of [
    () => attachHeartbeat(client, { dialect: 'trpc' as never }),
    () => new ReconnectingWebSocket('ws://a', [], { dialect: {} as never }),
  ]) {
    expect(attach).toThrow(expect.objectContaining(refusal));
  }
});
