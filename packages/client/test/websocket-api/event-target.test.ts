import { describe, expect, it } from 'vitest';
import { WebSocketEventTarget } from '../../src/websocket-api/event-target.ts';

// What the standard asks, rule by rule, is in w3c-rules.ts.

describe('WebSocketEventTarget', () => {
  it('has its constants on the class and on the prototype, once and for all', () => {
    for (const target of [WebSocketEventTarget, WebSocketEventTarget.prototype]) {
      for (const [name, value] of [
        ['CONNECTING', 0],
        ['OPEN', 1],
        ['CLOSING', 2],
        ['CLOSED', 3],
      ] as const) {
        expect(Object.getOwnPropertyDescriptor(target, name)).toEqual({
          value,
          enumerable: true,
          writable: false,
          configurable: false,
        });
      }
    }
  });

  it('passes the event to its handlers, in their turn', () => {
    const face = new WebSocketEventTarget();
    const calls: unknown[] = [];
    for (const name of ['open', 'message', 'error', 'close'] as const) {
      face[`on${name}`] = () => calls.push('replaced');
      face.addEventListener(name, () => calls.push('listener'));
      face[`on${name}`] = function (this: unknown, event: Event) {
        calls.push(event, this === face);
      };
      const event = new Event(name);
      face.dispatchEvent(event);
      expect(calls.splice(0)).toEqual([event, true, 'listener']);
      face[`on${name}`] = null;
      face.dispatchEvent(new Event(name));
      expect(calls.splice(0)).toEqual(['listener']);
    }
  });

  it('takes listeners of events beyond those of a WebSocket', () => {
    const face = new WebSocketEventTarget();
    const delays: number[] = [];
    const listener = ({ detail }: CustomEvent<{ delay: number }>) => delays.push(detail.delay);
    face.addEventListener('retry', listener);
    face.dispatchEvent(new CustomEvent('retry', { detail: { delay: 5 } }));
    face.removeEventListener('retry', listener);
    face.dispatchEvent(new CustomEvent('retry', { detail: { delay: 6 } }));
    expect(delays).toEqual([5]);
  });
});
