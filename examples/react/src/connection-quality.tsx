import type { Snapshot } from '@wirebeat/client';
import type { ReactNode } from 'react';

/** Four bars, as a telephone has them: what a latency is good for, in ms. */
const BARS = [
  { limit: 100, text: 'good for calls' },
  { limit: 300, text: 'good' },
  { limit: 1_000, text: 'slow' },
] as const;

interface Quality {
  readonly bars: number;
  readonly text: string;
}

function qualityOf({ readyState, status, latency, retry, giveup }: Snapshot): Quality {
  if (giveup !== undefined) return { bars: 0, text: `not connected: ${giveup.cause.reason}` };
  if (retry !== undefined) return { bars: 0, text: `connection lost, attempt ${retry.attempt}` };
  if (readyState > 1) return { bars: 0, text: 'closed' };
  if (status === 'idle') return { bars: 0, text: 'connecting' };
  if (status !== 'alive') return { bars: 1, text: 'no answer for a while' };
  if (latency === undefined) return { bars: 4, text: 'connected' };
  const index = BARS.findIndex(({ limit }) => latency <= limit);
  const text = BARS[index]?.text ?? 'very slow';
  return { bars: index === -1 ? 1 : 4 - index, text: `${text}, ${Math.round(latency)} ms` };
}

/** Shows how good a connection is. Give it what `useWebSocket` or `useHeartbeat` returned. */
export function ConnectionQuality(snapshot: Snapshot): ReactNode {
  const { bars, text } = qualityOf(snapshot);
  return (
    <output aria-live="polite" title={text}>
      <span aria-hidden="true">{'▮'.repeat(bars) + '▯'.repeat(4 - bars)}</span> {text}
    </output>
  );
}
