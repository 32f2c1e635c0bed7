import { IS_PAGE } from '../../development.ts';
import type { Millis } from '../../time.ts';
import type {
  Dialect,
  DialectBeat,
  DialectConnection,
  DialectDefinition,
  DialectPort,
  DialectSession,
  Wire,
} from './dialect.ts';
import type { OwnedBeat } from './messages.ts';

const NEVER: Millis = Number.POSITIVE_INFINITY;

/** A connection with its session. */
export interface OpenConnection extends DialectConnection {
  readonly session: DialectSession;
  ping: DialectConnection['ping'];
  sent: DialectConnection['sent'];
}

/**
 * Applies what the session has learned, and the beats in the message that was read. A page pays only for
 * what its own dialect does.
 */
export type Learner = (
  connection: OpenConnection,
  port: DialectPort,
  definition: DialectDefinition,
  beats: readonly DialectBeat[],
) => void;

/**
 * Makes a dialect whose connections do only what is needed. `wireOf` reads the messages; `change` changes each
 * connection.
 *
 * A connection is a closure and no class, because its names are shortened in a bundle.
 */
export function define(
  definition: DialectDefinition,
  wireOf: (data: unknown, isText?: boolean) => Wire,
  learner: Learner,
  change?: (connection: OpenConnection, port: DialectPort) => void,
): Dialect {
  const { name, subprotocols, cut } = definition;
  const connect = (port: DialectPort) => {
    const { driver, end, protocol } = port;
    if (protocol && subprotocols?.includes(protocol) === false) return undefined;
    const session = definition.open(end, true);
    const learn = (beats: readonly DialectBeat[] = []) =>
      learner(connection, port, definition, beats);
    const connection: OpenConnection = {
      name,
      session,
      get asks() {
        return session.ready && definition[IS_PAGE ? 'client' : end].asks;
      },
      open() {
        driver.open(false);
        learn();
      },
      receive(data, whole = data, isText) {
        const message = wireOf(data, isText);
        const { beats, rest } = session.receive(message) ?? { beats: [], rest: message };
        driver.receive();
        learn(beats);
        return rest === message ? whole : rest && cut?.(whole, rest);
      },
      ping: (id = '') => session.ping(id),
      sending(data) {
        session.sent(wireOf(data));
      },
      sent: () => learn(),
    };
    change?.(connection, port);
    return connection;
  };
  return { ...definition, connect };
}

/** Judges the peer by the longest silence that its protocol allows: no ping could end a doubt. */
export const listening: Learner = ({ session }, { driver, maxSilence }) => {
  const { heartbeat } = driver;
  const limit = Math.min(maxSilence, session.timing.maxSilence ?? NEVER);
  if (limit === heartbeat.maxSilence) return;
  heartbeat.maxSilence = limit;
  driver.rearm();
};

/** Sends pings if this end may, and expects every one to be answered, because a dialect is chosen by name. */
export const asking: Learner = ({ asks }, { driver }, { spreadFirst }, beats) => {
  const { isMuted, pingInterval, pingTimeout } = driver.heartbeat;
  if (isMuted && asks) {
    driver.receiveBeat({ type: 'pong' }); // the peer speaks the dialect
    if (!spreadFirst && pingInterval < NEVER) driver.probe(pingTimeout);
  }
  for (const beat of beats) {
    const { id, isOurs } = beat as OwnedBeat & { readonly id?: string };
    if (isOurs) driver.receiveBeat({ type: 'pong', id: id || undefined });
  }
};

/** Several of these, one after the other. */
export const all =
  (...learners: readonly Learner[]): Learner =>
  (...args) => {
    for (const learn of learners) learn(...args);
  };

/** Answers the pings of the peer, and pings as often as it expects to receive data. */
export const alone: Learner = ({ session }, { driver: { heartbeat }, send }, _, beats) => {
  const { pingInterval = NEVER } = session.timing;
  if (pingInterval < heartbeat.pingInterval) heartbeat.adopt({ pingInterval });
  for (const beat of beats) if (beat.kind === 'ping') send(beat.answer);
};

/** Holds pings while the application has sent a part of a message and not the rest. */
export function holding(connection: OpenConnection, { driver }: DialectPort): void {
  const { session, ping, sent } = connection;
  let isHeld: boolean | undefined;
  connection.ping = (id) => {
    isHeld = session.isMidMessage;
    if (isHeld) driver.suspend(); // the peer cannot answer it yet
    return isHeld ? undefined : ping(id);
  };
  connection.sent = () => {
    sent();
    if (isHeld) driver.resume(); // pings, which may be held again
  };
}
