/** An official client, connected to a real server. */
export interface OfficialClient {
  /** Resolves to `text` when it has come back from the server, even if the connection is lost meanwhile. */
  echo(text: string): Promise<string>;
  /** Asks for a message every 20 ms. */
  ticks(onTick: () => void): void;
  /** Sends such a message to all clients, where the server sends none by itself. */
  publish?(): void;
  end(): unknown;
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
  Record<ClientName, (url: string, WebSocket: unknown) => Promise<OfficialClient>>
>;
