import type { Snapshot } from '@wirebeat/client';
import { renderToString } from 'react-dom/server';
import { expect, it } from 'vitest';
import { ConnectionQuality } from '../src/connection-quality.tsx';

const ALIVE = {
  readyState: 1,
  phase: 'open',
  status: 'alive',
  lastReceived: 0,
  retry: undefined,
  giveup: undefined,
} as const;
const CAUSE = { reason: 'fatal' } as never;

it.each<[shown: string, snapshot: Snapshot]>([
  ['▯▯▯▯ connecting', { ...ALIVE, readyState: 0, status: 'idle', latency: undefined }],
  ['▮▮▮▮ connected', { ...ALIVE, latency: undefined }],
  ['▮▮▮▮ good for calls, 100 ms', { ...ALIVE, latency: 100 }],
  ['▮▮▮▯ good, 101 ms', { ...ALIVE, latency: 101 }],
  ['▮▮▯▯ slow, 1000 ms', { ...ALIVE, latency: 1_000 }],
  ['▮▯▯▯ very slow, 1001 ms', { ...ALIVE, latency: 1_001 }],
  ['▮▯▯▯ no answer for a while', { ...ALIVE, status: 'suspect', latency: 20 }],
  [
    '▯▯▯▯ connection lost, attempt 3',
    {
      ...ALIVE,
      readyState: 0,
      status: 'idle',
      latency: undefined,
      retry: { attempt: 3, delay: 500, cause: CAUSE },
    },
  ],
  [
    '▯▯▯▯ not connected: fatal',
    { ...ALIVE, readyState: 3, latency: undefined, giveup: { attempts: 1, cause: CAUSE } },
  ],
  ['▯▯▯▯ closed', { ...ALIVE, readyState: 3, status: 'idle', latency: undefined }],
])('shows %s', (shown, snapshot) => {
  const text = renderToString(<ConnectionQuality {...snapshot} />).replace(/<[^>]*>/g, '');
  expect(text).toBe(shown);
});
