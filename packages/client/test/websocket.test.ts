import { describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { defaultWebSocket } from '../src/websocket.ts';

describe('defaultWebSocket', () => {
  it('is the class of ws in Node', () => {
    expect(defaultWebSocket()).toBe(NodeWebSocket);
  });
});
