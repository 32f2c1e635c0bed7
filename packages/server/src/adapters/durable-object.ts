/** The part of a hibernatable `WebSocket` of Cloudflare that is used. */
export interface DurableSocket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** The part of a `DurableObjectState` that is used. */
export interface DurableState<Socket extends DurableSocket = DurableSocket> {
  acceptWebSocket(socket: Socket, tags?: string[]): void;
  getWebSockets(): Socket[];
  setWebSocketAutoResponse(pair: never): void;
  getWebSocketAutoResponseTimestamp(socket: Socket): Date | null;
  readonly storage: {
    getAlarm(): Promise<number | null>;
    setAlarm(time: number): Promise<void>;
  };
}

/** Lets the runtime answer the routine ping while the object sleeps. */
export function answerWhileAsleep(
  state: Pick<DurableState, 'setWebSocketAutoResponse'>,
  ping: string,
  pong: string,
): void {
  const { WebSocketRequestResponsePair: Pair } = globalThis as unknown as {
    readonly WebSocketRequestResponsePair: new (request: string, response: string) => object;
  };
  state.setWebSocketAutoResponse(new Pair(ping, pong) as never);
}
