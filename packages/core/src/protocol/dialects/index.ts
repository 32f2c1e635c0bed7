export { actionCable } from './action-cable.ts';
export { bySubprotocol } from './by-subprotocol.ts';
export { cut } from './cut.ts';
export { answering, defineDialect, observing } from './define-dialect.ts';
export type {
  Dialect,
  DialectBeat,
  DialectChoice,
  DialectConnection,
  DialectDefinition,
  DialectDriver,
  DialectEnd,
  DialectPort,
  DialectRole,
  DialectSession,
  DialectTiming,
  Reading,
  Wire,
} from './dialect.ts';
export { discord } from './discord.ts';
export { engineIo } from './engine-io.ts';
export { graphql } from './graphql.ts';
export { type JsonOptions, type JsonTemplate, json } from './json.ts';
export { appSync, type KeepAliveOptions, keepAlive } from './keep-alive.ts';
export { mqtt } from './mqtt.ts';
export { nats } from './nats.ts';
export { type PhoenixOptions, phoenix } from './phoenix.ts';
export { pusher } from './pusher.ts';
export { signalR } from './signalr.ts';
export { stomp } from './stomp.ts';
export { type TextOptions, text, trpc } from './text.ts';
