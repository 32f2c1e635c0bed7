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

/** What is kept of a client while the object sleeps: all instants are of the wall clock, in ms. */
export interface Record {
  /** When anything was last known to have arrived. */
  readonly at: number;
  /** Whether the client sends application pings, so that it can be asked. */
  readonly isAsker?: boolean;
  readonly isFrozen?: boolean;
  /** Whether it is being closed. A socket that wakes with the object may still say that it is open. */
  readonly isEnded?: boolean;
  /** When our last ping was sent, while it is unanswered. */
  readonly askedAt?: number | undefined;
  readonly session?: string;
  /** In the order in which the clients came. */
  readonly order: number;
  readonly latency?: number;
}

/** The name of the record in the attachment, beside what the application has there. */
const KEY = 'wirebeat';

/** Reads the record of a client; `undefined` if the application has replaced the attachment. */
export function recordOf(socket: DurableSocket): Record | undefined {
  const attached = socket.deserializeAttachment();
  if (typeof attached !== 'object' || attached === null) return undefined;
  return (attached as { readonly [KEY]?: Record })[KEY];
}

/** Writes the record of a client into its attachment. */
export function keepRecord(socket: DurableSocket, record: Record): void {
  const attached = socket.deserializeAttachment();
  const others = typeof attached === 'object' ? attached : { attached };
  socket.serializeAttachment({ ...others, [KEY]: record });
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
