import { randomBytes } from 'node:crypto';
import { decodeBeat, encodeBeat } from '@wirebeat/core';
import type { WebSocket } from 'ws';
import type { PingDialect } from './dialect.ts';

/** What answers the pings: the application, the WebSocket layer, or another protocol. */
export type Tier = 'application' | 'protocol' | PingDialect;

/** Sends pings on one open connection. */
export interface Prober {
  /** Resolves when pings may be sent, which is after the handshake of the dialect. */
  readonly ready: Promise<void>;
  /** Sends a ping with this id. Returns `false` if none can be sent now. */
  ping(id: string): boolean;
}

/** Smallest and largest size of a ping in bytes. A control frame holds at most 125: RFC 6455 §5.5. */
export const PING_BYTES = { min: 32, max: 125 } as const;

/** Creates an id for a ping: 16 hexadecimal digits, the longest id of an application ping. */
export function pingId(): string {
  return randomBytes(8).toString('hex');
}

/**
 * Creates a prober for an open socket. `answered` is called with the id of each pong. `size` is the
 * size of each ping in bytes; dialects ignore it.
 */
export function createProber(
  socket: WebSocket,
  tier: Tier,
  answered: (id: string) => void,
  size?: number,
): Prober {
  if (tier === 'application') return applicationProber(socket, answered, size);
  if (tier === 'protocol') return protocolProber(socket, answered, size);
  return dialectProber(socket, tier, answered);
}

/** Sends application pings (docs/protocol.md), and answers those of the server. */
function applicationProber(
  socket: WebSocket,
  answered: (id: string) => void,
  size: number | undefined,
): Prober {
  let isFirst = true;
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const beat = isBinary ? undefined : decodeBeat(String(data));
    if (beat?.type === 'ping') socket.send(encodeBeat({ type: 'pong', id: beat.id }));
    if (beat?.type === 'pong' && beat.id !== undefined) answered(beat.id);
  });
  return {
    ready: Promise.resolve(),
    ping(id) {
      const values = isFirst ? { v: '1' } : undefined;
      isFirst = false;
      const bare = encodeBeat({ type: 'ping', id, values });
      socket.send(bare + padding((size ?? 0) - bare.length));
      return true;
    },
  };
}

/** The longest value in a beat. */
const MAX_VALUE_LENGTH = 24;
/** The length of `;pa=`. */
const KEY_LENGTH = 4;

/** Returns `length` characters that a receiver ignores: values with unknown keys. */
function padding(length: number): string {
  let text = '';
  for (let key = 0; length - text.length > KEY_LENGTH; key += 1) {
    const left = length - text.length - KEY_LENGTH;
    const isRestTooShort = left > MAX_VALUE_LENGTH && left - MAX_VALUE_LENGTH <= KEY_LENGTH;
    const value = Math.min(left, MAX_VALUE_LENGTH) - (isRestTooShort ? KEY_LENGTH : 0);
    text += `;p${String.fromCharCode(97 + key)}=${'0'.repeat(value)}`;
  }
  return text;
}

/** Sends protocol Pings, which every WebSocket must answer: RFC 6455 §5.5.2. */
function protocolProber(
  socket: WebSocket,
  answered: (id: string) => void,
  size: number | undefined,
): Prober {
  socket.on('pong', (data: Buffer) => answered(String(data).replace(/\.*$/, '')));
  return {
    ready: Promise.resolve(),
    ping(id) {
      socket.ping(id.padEnd(size ?? 0, '.'));
      return true;
    },
  };
}

/** Sends the pings of another protocol. */
function dialectProber(
  socket: WebSocket,
  { dialect, opening }: PingDialect,
  answered: (id: string) => void,
): Prober {
  const session = dialect.open('client');
  let proceed = (): void => {};
  const ready = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  if (session.ready) proceed();
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const { beats = [] } = session.receive(isBinary ? data : String(data)) ?? {};
    if (session.ready) proceed();
    for (const beat of beats) {
      if (beat.kind === 'ping') socket.send(beat.answer);
      if (beat.kind === 'pong' && beat.id !== undefined) answered(beat.id);
    }
  });
  if (opening !== undefined) {
    const message = opening();
    session.sent(message);
    socket.send(message);
  }
  return {
    ready,
    ping(id) {
      const ping = session.ping(id);
      if (ping !== undefined) socket.send(ping);
      return ping !== undefined;
    },
  };
}
