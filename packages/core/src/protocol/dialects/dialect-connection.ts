import type { SocketEvent } from '../../socket.ts';
import type { Millis } from '../../time.ts';
import type { DialectConnection, DialectDefinition, DialectPort } from './dialect.ts';
import { wireOf } from './wire.ts';

const NEVER: Millis = Number.POSITIVE_INFINITY;
/** Stands for a ping without an id. No ping can have it as its id. */
const NO_ID = '.';

/** Watches the pings of the application, instead of sending pings. */
export interface PingWatch {
  /** The application sends a ping. */
  asked(id: string): void;
  /** The peer has sent something, which the heartbeat does not know yet. */
  heard(): void;
  /** The peer has answered a ping of the application. */
  answered(id: string): void;
}

/** Limits the silence of the peer, in ms, besides what the options and the protocol say. */
export type LimitSilence = (silence?: Millis) => void;

/**
 * Connects a session of a dialect with the heartbeat of a socket.
 *
 * If this end asks, the heartbeat expects every ping to be answered, because a dialect is chosen by
 * name. If it only listens, no ping could end a doubt, so the heartbeat is muted and judges the peer by
 * the longest silence that its protocol allows.
 *
 * A closure and not a class, because its names are shortened in a bundle.
 */
export function connectDialect(
  definition: DialectDefinition,
  port: DialectPort,
  isShared = true,
  watching?: (limit: LimitSilence) => PingWatch,
): DialectConnection {
  const { driver, end, send } = port;
  const { heartbeat } = driver;
  const session = definition.open(end, isShared);
  let isAsking = false;
  let isHeld = false; // a ping waits for the end of a message of the application
  let promised = NEVER; // the longest silence of the peer, by the protocol
  let lastEvent: SocketEvent | undefined;
  let left: SocketEvent | undefined; // what the application receives of it
  let isCopyDue = false;

  const limit: LimitSilence = (silence = NEVER) => {
    heartbeat.maxSilence = Math.min(port.maxSilence, promised, silence);
    driver.rearm();
  };
  const watch = watching?.(limit);

  /** Applies what the session has learned. */
  const update = () => {
    const { maxSilence = NEVER, pingInterval = NEVER } = session.timing;
    if (maxSilence !== promised) {
      promised = maxSilence;
      limit();
    }
    if (!isShared && pingInterval < heartbeat.pingInterval) heartbeat.adopt({ pingInterval });
    if (isAsking || watch || !definition[end].asks || !session.ready) return;
    isAsking = true;
    driver.receiveBeat({ type: 'pong' }); // the peer speaks the dialect
    if (heartbeat.pingInterval < NEVER) driver.probe(heartbeat.pingTimeout);
  };

  const receive = (data: unknown, isText: boolean): unknown => {
    watch?.heard();
    driver.receive();
    const message = wireOf(data, isText);
    const reading = message === undefined ? undefined : session.receive(message);
    update();
    if (reading === undefined) return data;
    for (const beat of reading.beats) {
      if (beat.kind === 'ping' && beat.answer !== undefined) send(beat.answer);
      if (beat.kind !== 'pong' || beat.id === undefined) continue;
      const { id, isOurs } = beat;
      if (isOurs) driver.receiveBeat({ type: 'pong', id: id === NO_ID ? undefined : id });
      else watch?.answered(id);
    }
    if (reading.rest === message) return data;
    return reading.rest && definition.cut?.(data, reading.rest);
  };

  return {
    name: definition.name,
    get asks() {
      return isAsking;
    },
    open() {
      driver.open(false);
      limit(); // replaces the limit of an earlier connection on the same socket
      update();
    },
    receive,
    receiveEvent(event, byHandler = false) {
      // Each event is read once, although several listeners may ask. A class that calls its handlers
      // itself, such as partysocket, dispatches a copy afterwards.
      const isCopy = isCopyDue && !byHandler && event.data === lastEvent?.data;
      const isNew = !isCopy && event !== lastEvent && event !== left;
      isCopyDue = byHandler && (isNew || isCopyDue);
      if (isCopy) {
        if (left === lastEvent) left = event;
        lastEvent = event;
      } else if (isNew) {
        lastEvent = event;
        const data = receive(event.data, typeof event.data === 'string');
        if (data === undefined || data === event.data) left = data === undefined ? data : event;
        else left = definition.cut?.(event, data) as SocketEvent;
      }
      return left;
    },
    ping(id = NO_ID) {
      const ping = isAsking ? session.ping(id) : undefined;
      if (ping === undefined && isAsking && session.isMidMessage) {
        isHeld = true;
        driver.suspend(); // the peer cannot answer it yet
      }
      return ping;
    },
    sending(data) {
      const message = wireOf(data, typeof data === 'string');
      const id = message === undefined ? undefined : session.sent(message);
      if (id !== undefined) watch?.asked(id);
    },
    sent() {
      update();
      if (!isHeld) return;
      isHeld = false;
      driver.resume(); // pings
    },
  };
}
