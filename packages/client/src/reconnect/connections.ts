import {
  type HeartbeatEvent,
  type Instant,
  InvalidOptionError,
  LazyTimer,
  ReadyState,
  type Scheduler,
  type SocketData,
} from '@wirebeat/core';
import { IS_PAGE } from '../development.ts';
import type { LinkOptions } from '../link.ts';
import { byteLength } from '../outbox/messages.ts';
import { type MessageOutbox, Outbox } from '../outbox/outbox.ts';
import type { DropReason } from '../websocket-api/event-target.ts';
import type { CloseRecord } from './close-record.ts';
import { Connection, type ConnectionEvent, type ConnectionPort } from './connection.ts';
import type { Dialer } from './dialer.ts';
import { type ReconnectEvent, reportUnhandled } from './events.ts';
import type { ConnectionFact, ConnectionId, OrderPort } from './machine/orders.ts';
import { Reconnector } from './machine/reconnector.ts';
import type { ResolvedReconnectOptions } from './options.ts';
import type { ReadyPort } from './prepare-with.ts';
import { drawSessionSecret } from './session-secret.ts';

/** The events that are not passed on: the application sees one only if the machine orders it. */
const ORDERED: readonly string[] = ['open', 'end', 'unanswered'];

/** What the application sees. */
export interface ApplicationPort {
  emit(...event: ReconnectEvent): void;
  /** Receives a message. Apart from the events, because it is called most often. */
  receive(data: unknown): void;
}

/**
 * The connections of a {@link ReconnectingWebSocket}, one after another, and at times two. Passes
 * what happens to a {@link Reconnector} and performs its orders, with sockets, a timer and events.
 * Decides nothing.
 */
export class Connections implements ReadyPort {
  readonly outbox: MessageOutbox;
  readonly scheduler: Scheduler;
  /** The connection in use; undefined between two connections. */
  current: Connection | undefined;
  /** The socket of the connection in use, or of the last one. */
  lastSocket: { readonly protocol?: string; readonly extensions?: string } = {};
  readonly #options: ResolvedReconnectOptions;
  readonly #dialer: Dialer;
  readonly #application: ApplicationPort;
  readonly #machine: Reconnector;
  readonly #timer: LazyTimer;
  readonly #link: LinkOptions;
  readonly #port: ConnectionPort = {
    emit: (connection, ...event) => this.#onEvent(connection, ...event),
    receive: (connection, data) => this.#receive(connection, data),
  };
  /** What the machine orders. */
  readonly #orders: OrderPort = {
    dial: (id, isStandby) => this.#dial(id, isStandby),
    adopt: () => {
      this.current = this.#standby;
      this.#standby = undefined;
    },
    open: () => {
      this.lastSocket = this.current?.socket as object;
      this.#application.emit('open');
      this.#emitted();
    },
    prepare: () => this.#prepare(this.current as Connection),
    send: () => {
      const connection = this.current as Connection;
      connection.receive = undefined;
      this.outbox.begin(connection);
      this.emitHeld(connection);
    },
    probe: (id) => this.#find(id)?.link?.probe(),
    hold: (isHeld) => this.outbox.hold(isHeld),
    close: (id, code, text) => this.#find(id)?.close(code, text),
    end: (id, text) => this.#find(id)?.end(text),
    lost: (record, isToClose) => {
      const adopted = this.current;
      const refused = this.outbox.interrupt(record);
      if (isToClose) this.#application.emit('close', record);
      this.#drop('undeliverable', refused);
      this.#emitted();
      if (adopted) this.#emitDial(adopted);
    },
    retry: (detail) => {
      const { lifecycle } = this.#options;
      const hint = () => {
        this.#machine.hint(this.#now);
        this.#run();
      };
      // A hint of the page, such as becoming visible, may end the wait.
      if (lifecycle) this.#unwatch = lifecycle.watch({ state() {}, hint });
      this.#application.emit('retry', detail);
    },
    unanswered: (reason) => {
      const silentFor = this.#now - (this.current?.heartbeat?.lastReceived ?? 0);
      this.#application.emit('unanswered', { silentFor, reason });
    },
    closed: (record, isToClose, attempts) => {
      this.#drop('undeliverable', this.outbox.interrupt(record));
      this.#unwatchPage();
      this.#endParking?.();
      this.#drop('close', this.outbox.end());
      if (attempts !== undefined) this.#application.emit('giveup', { attempts, cause: record });
      if (isToClose) this.#application.emit('close', record);
    },
  };
  #standby: Connection | undefined;
  #unwatch: (() => void) | undefined; // during a wait
  #endParking: (() => void) | undefined;
  #isFirst = true; // whether the first attempt is being started

  /** @throws what the class of the socket throws, if the address is known at once. */
  constructor(options: ResolvedReconnectOptions, dialer: Dialer, application: ApplicationPort) {
    const { heartbeat, makeBeforeBreak, scheduler, delivery, parking, signal } = options;
    this.#options = options;
    this.scheduler = scheduler;
    this.#dialer = dialer;
    this.#application = application;
    this.#link = { ...heartbeat, session: makeBeforeBreak ? drawSessionSecret() : undefined };
    const machine = new Reconnector(machineOptions(options));
    this.#machine = machine;
    this.#timer = new LazyTimer(scheduler, () => {
      machine.tick(this.#now, this.current?.bufferedAmount);
      this.#run();
    });
    const unsendable = (message: SocketData, error: unknown) => {
      application.emit('error', error);
      this.#drop('undeliverable', [message]);
    };
    this.outbox = delivery?.open(options, unsendable) ?? new Outbox(options, unsendable);
    if (signal?.aborted) machine.close(this.#now);
    else machine.start(this.#now);
    this.#run();
    this.#isFirst = false;
    if (this.readyState === ReadyState.Closed) return; // by an aborted signal
    const unsent = () => this.bufferedAmount;
    this.#endParking = parking?.watch(options, unsent, (isParked) => {
      if (isParked) machine.park();
      else machine.unpark(this.#now);
      this.#run();
    });
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#machine.readyState;
  }

  /** The bytes queued here and in the socket. */
  get bufferedAmount(): number {
    return this.outbox.bytes + (this.current?.bufferedAmount ?? 0);
  }

  /** Sends a message now, or queues it. After the end, only counts it. */
  send(message: SocketData): void {
    const { current, outbox } = this;
    if (this.readyState >= ReadyState.Closing) outbox.lose(message);
    else if (this.#machine.phase === 'open' && current) outbox.sendFirst(current, message);
    else this.#drop('overflow', outbox.send(message));
  }

  close(code?: number, text?: string): void {
    this.#machine.close(this.#now, code, text);
    this.#run();
    if (this.readyState === ReadyState.Closing) this.#unwatchPage();
  }

  reconnect(): void {
    this.#machine.reconnect(this.#now);
    this.#run();
  }

  /** The address of the last attempt. */
  get url(): string {
    return this.#dialer.url;
  }

  /** Emits at most so many held messages, in order. */
  emitHeld(connection: Connection, most: number = Number.POSITIVE_INFINITY): void {
    for (let count = 0; count < most && connection.held.length > 0; count += 1) {
      this.#deliver(connection, connection.held[0]);
      connection.held.shift(); // last, so that messages received in between queue behind it
    }
  }

  /** The application has prepared the connection or, with `false`, has failed to. */
  prepared(connection: Connection, isReady: boolean, error?: unknown): void {
    if (isReady) this.emitHeld(connection);
    this.#machine.prepared(this.#now, connection.id, isReady);
    const isFailing = this.#machine.phase === 'failing' && this.current === connection;
    if (isFailing) this.#application.emit('error', error);
    this.#run();
  }

  get #now(): Instant {
    return this.scheduler.now();
  }

  #onEvent(connection: Connection, ...event: ConnectionEvent): void {
    const [name] = event;
    const isCurrent = connection === this.current;
    const isCause = name === 'error' || name === 'dead'; // emitted before the `close` that follows
    if (name === 'end' && isCurrent) {
      this.current = undefined;
      this.emitHeld(connection); // the peer sent them before it closed
    } else if (name === 'end') this.#standby = undefined;
    else if (isCurrent) {
      if (isCause) this.#application.emit(...(event as ReconnectEvent));
      this.outbox.beat?.(...(event as HeartbeatEvent));
    }
    const { id, hasAddress } = connection;
    const reason = hasAddress ? 'abnormal' : 'no-address';
    if (name === 'error') this.#machine.happened(this.#now, id, name, reason);
    else this.#machine.happened(this.#now, id, ...(event as ConnectionFact));
    this.#run();
    if (!isCurrent || isCause || ORDERED.includes(name)) return;
    this.#application.emit(...(event as ReconnectEvent));
  }

  /** What comes behind a held message is held too. */
  #receive(connection: Connection, data: unknown): void {
    const isCurrent = connection === this.current;
    const isHeld = !isCurrent || connection.held.length > 0;
    if (isHeld) connection.held.push(data);
    if (this.#machine.isUndecided) {
      this.#machine.received(connection.id, isCurrent ? 0 : byteLength(data));
      this.#run();
    }
    if (!isHeld) this.#deliver(connection, data);
  }

  /** After `close()`, the standard discards messages. */
  #deliver(connection: Connection, data: unknown): void {
    if (this.readyState !== ReadyState.Open) return;
    this.#application.receive(data);
    connection.receive?.(data);
  }

  /** Performs orders. Their events may lead to other orders, which are performed in between. */
  #run(): void {
    for (const [name, ...values] of this.#machine.takeOrders()) {
      (this.#orders[name] as (...values: unknown[]) => void)(...values);
    }
    this.#timer.set(this.#machine.deadline);
  }

  #dial(id: ConnectionId, isStandby: boolean): void {
    const connection = new Connection(id, this.#port);
    if (isStandby) {
      this.#standby = connection;
      this.#link.memory.askAgain();
    } else {
      this.current = connection;
      this.#unwatchPage();
    }
    const { attempt, lastClose } = this.#machine;
    try {
      connection.dial((signal) => this.#dialer.resolve({ attempt, lastClose, signal }), this.#link);
    } catch (error) {
      if (this.#isFirst) throw error;
      this.#onEvent(connection, 'error', error);
    }
    // Emitted last, because a listener may close. Nobody listens to the first attempt yet.
    if (!this.#isFirst) this.#emitDial(connection);
  }

  /** Emits `dial` if this connection is in use and not open yet. */
  #emitDial(connection: Connection): void {
    const { phase, attempt } = this.#machine;
    if (connection !== this.current || phase !== 'dialling') return;
    this.#application.emit('dial', { attempt });
  }

  /** The event that an order asked for has been emitted. */
  #emitted(): void {
    this.#machine.emitted(this.#now);
    this.#run();
  }

  #find(id: ConnectionId): Connection | undefined {
    return this.current?.id === id ? this.current : this.#standby;
  }

  /** Lets the application prepare a connection that has opened. */
  #prepare(connection: Connection): void {
    const { ready } = this.#options;
    connection.receive = ready?.(connection, this);
    if (IS_PAGE || typeof connection.receive === 'function') return;
    connection.receive = undefined;
    const error = new InvalidOptionError('ready', 'what prepareWith() returns', ready);
    this.prepared(connection, false, error);
  }

  #unwatchPage(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #drop(reason: DropReason, messages: readonly SocketData[]): void {
    if (messages.length > 0) this.#application.emit('drop', { messages, reason });
  }
}

/** Whether the runtime reports that it is offline. */
function isOffline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false;
}

function machineOptions(options: ResolvedReconnectOptions) {
  return {
    ...options,
    random: options.backoff.random,
    isOffline,
    shouldReconnect: (record: CloseRecord) => {
      try {
        return options.shouldReconnect(record);
      } catch (error) {
        reportUnhandled(error); // an error in the callback must not stop reconnecting
        return true;
      }
    },
  };
}
