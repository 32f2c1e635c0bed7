import {
  actionCable,
  type Dialect,
  engineIo,
  graphql,
  keepAlive,
  mqtt,
  nats,
  stomp,
  trpc,
} from '@wirebeat/core/dialects';
import type { ClientName } from './clients.mjs';
import type { ServerName } from './real-server.ts';

/** A protocol, with a real server and the official client. */
export interface Subject {
  readonly title: string;
  readonly server: ServerName;
  /** The port of the server, if it has several. */
  readonly port?: string;
  readonly path?: string;
  readonly client: ClientName;
  /** Whether the client may send pings, so that there is a latency. */
  readonly asks: boolean;
  dialect(maxSilence: number): Dialect;
}

export const SUBJECTS: readonly Subject[] = [
  {
    title: 'graphql-ws',
    server: 'graphql',
    client: 'graphql',
    asks: true,
    dialect: () => graphql,
  },
  {
    title: 'subscriptions-transport-ws',
    server: 'ka',
    client: 'ka',
    asks: false,
    dialect: (maxSilence) => keepAlive({ maxSilence }),
  },
  { title: 'tRPC', server: 'trpc', client: 'trpc', asks: true, dialect: () => trpc },
  {
    title: 'Engine.IO',
    server: 'engineIo',
    client: 'engineIo',
    asks: false,
    dialect: () => engineIo,
  },
  {
    title: 'Socket.IO',
    server: 'socketIo',
    client: 'socketIo',
    asks: false,
    dialect: () => engineIo,
  },
  { title: 'aedes, MQTT', server: 'aedes', client: 'mqtt', asks: true, dialect: () => mqtt },
  {
    title: 'RabbitMQ, MQTT',
    server: 'rabbitmq',
    port: 'mqtt',
    path: '/ws',
    client: 'mqtt',
    asks: true,
    dialect: () => mqtt,
  },
  {
    title: 'RabbitMQ, STOMP',
    server: 'rabbitmq',
    port: 'stomp',
    path: '/ws',
    client: 'stomp',
    asks: false,
    dialect: () => stomp,
  },
  { title: 'nats-server', server: 'nats', client: 'nats', asks: true, dialect: () => nats },
  {
    title: 'Action Cable',
    server: 'cable',
    client: 'cable',
    asks: false,
    dialect: () => actionCable,
  },
];
