import { expect, it } from 'vitest';
import * as server from '../src/index.ts';

it('the public surface of @wirebeat/server is this list', () => {
  expect(Object.keys(server).sort()).toEqual([
    'ConnectionClosedError',
    'HeartbeatError',
    'InvalidOptionError',
    'Liveness',
    'PingTimeoutError',
    'ServerHeartbeat',
    'attachHeartbeat',
  ]);
});
