import { describe, expect, it } from 'vitest';
import WebSocketOfWs from 'ws';
import { ReadyState, type WebSocketLike } from '../src/socket.ts';

describe('ReadyState', () => {
  it('numbers the states as every WebSocket does', () => {
    expect(ReadyState).toEqual({
      Connecting: WebSocketOfWs.CONNECTING,
      Open: WebSocketOfWs.OPEN,
      Closing: WebSocketOfWs.CLOSING,
      Closed: WebSocketOfWs.CLOSED,
    });
  });
});

describe('WebSocketLike', () => {
  it('fits the WebSocket of pages and that of ws', () => {
    // The compiler tests this; at run time there is nothing to see.
    const page = (socket: WebSocket): WebSocketLike => socket;
    const node = (socket: WebSocketOfWs): WebSocketLike => socket;
    expect([page, node]).toHaveLength(2);
  });
});
