import type { ConnectionEvents as TierEvents } from '../../connection/events.ts';
import type { ConnectionListener } from '../events.ts';
import type { Side } from './side.ts';

type TierListener = <Name extends keyof TierEvents>(name: Name, event: TierEvents[Name]) => void;

/** Emits the events of a tier as those of the gateway. Events that the gateway does not have are dropped. */
export function emitterOf(side: Side, emit: ConnectionListener): TierListener {
  return (name, event) => {
    switch (name) {
      case 'pong': {
        const { tier, latency, sampled } = event as TierEvents['pong'];
        const layer = side === 'page' ? 'browser' : side;
        return emit('pong', { hop: tier === 'application' ? 'page' : layer, latency, sampled });
      }
      case 'suspect':
      case 'alive':
      case 'stall':
        return emit(name, { ...event, side } as never);
      case 'unresponsive':
      case 'responsive':
        return emit(name, event as never);
      default: // `dead` has an event of its own, and every WebSocket answers, so `unanswered` does not occur
    }
  };
}
