import { randomBytes } from 'node:crypto';
import {
  type Dialect,
  discord,
  graphql,
  json,
  mqtt,
  nats,
  phoenix,
  pusher,
  text,
  trpc,
  type Wire,
} from '@wirebeat/core/dialects';

/** A dialect that `wirebeat ping` supports, because its clients may send pings. */
export interface PingDialect {
  readonly dialect: Dialect;
  /** Name of the protocol in the help text. */
  readonly of: string;
  /** Creates the first message, for servers that expect one. */
  readonly opening?: () => Wire;
}

/**
 * The dialects in which a client sends pings. In Engine.IO, SignalR, STOMP and Action Cable, only the
 * server sends pings or nobody answers them, so there is nothing to measure.
 */
export const DIALECTS: readonly PingDialect[] = [
  { dialect: discord, of: 'the gateway of Discord, with ?v=10&encoding=json in the URL' },
  {
    dialect: graphql,
    of: 'graphql-ws, with its subprotocol graphql-transport-ws',
    opening: () => JSON.stringify({ type: 'connection_init' }),
  },
  { dialect: json(), of: '{"type":"ping"} and {"type":"pong"}' },
  { dialect: mqtt, of: 'MQTT 3.1.1, with its subprotocol mqtt', opening: mqttConnect },
  { dialect: nats, of: 'NATS' },
  { dialect: phoenix(), of: 'Phoenix channels, version 2 of the serializer' },
  { dialect: pusher, of: 'Pusher Channels, Laravel Reverb, Soketi' },
  { dialect: text(), of: '"ping" and "pong"' },
  { dialect: trpc, of: 'tRPC, "PING" and "PONG"' },
];

/**
 * Encodes an MQTT CONNECT with a clean session, a keep-alive of 60 s and a random client id: MQTT 3.1.1
 * §3.1.
 */
function mqttConnect(): Uint8Array {
  const id = `wirebeat-${randomBytes(4).toString('hex')}`;
  const variable = Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60]);
  const payload = Buffer.from([0, id.length, ...Buffer.from(id)]);
  const body = Buffer.concat([variable, payload]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}
