/** An official client, connected to a real server. */
export interface OfficialClient {
  /** Resolves to `text` when it has come back from the server, even if the connection is lost meanwhile. */
  echo(text: string): Promise<string>;
  /** Asks for a message every `BUSY` ms. */
  ticks(onTick: () => void): void;
  /** Sends such a message to all clients, where the server sends none by itself. */
  publish?(): void;
  end(): unknown;
}

/** How a client behaves. */
export interface ClientOptions {
  /** Whether it never ends a silent connection by itself. */
  readonly isPatient?: boolean;
  /** How often a client of STOMP sends beats, and wants some. @default [0, 500] */
  readonly heartBeat?: readonly [sends: number, wants: number];
  /** The interval of the pings of MQTT, in seconds. @default 60 */
  readonly keepAlive?: number;
}

export type ClientName =
  | 'graphql'
  | 'ka'
  | 'trpc'
  | 'engineIo'
  | 'socketIo'
  | 'mqtt'
  | 'stomp'
  | 'nats'
  | 'cable';

export const CLIENTS: Readonly<
  Record<
    ClientName,
    (url: string, WebSocket: unknown, options?: ClientOptions) => Promise<OfficialClient>
  >
>;
