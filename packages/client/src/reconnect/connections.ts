import { type Instant, LazyTimer, ReadyState, type SocketData } from '@wirebeat/core';
import type { LinkOptions } from '../link.ts';
import { byteLength } from '../outbox/messages.ts';
import { type MessageOutbox, Outbox } from '../outbox/outbox.ts';
import type { DropReason } from '../websocket-api/event-target.ts';
import type { CloseRecord } from './close-record.ts';
import { Connection, type ConnectionEvent, type ConnectionPort } from './connection.ts';
import type { Dialer } from './dialer.ts';
import { type ReconnectEvent, report } from './events.ts';
import type { ConnectionId, ReconnectOrder } from './machine/orders.ts';
import { Reconnector } from './machine/reconnector.ts';
import type { ResolvedReconnectOptions } from './options.ts';
import { Preparation } from './preparation.ts';
import { drawSession } from './session.ts';

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
export class Connections {
  readonly outbox: MessageOutbox;
  /** The connection in use; undefined between two connections. */
  current: Connection | undefined;
  protocol = '';
  extensions = '';
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
  #standby: Connection | undefined;
  #preparation: Preparation | undefined; // while `ready` runs
  #unwatch: (() => void) | undefined; // during a wait
  #isFirst = true; // whether the first attempt is being started

  /** @throws what the class of the socket throws, if the address is known at once. */
  constructor(options: ResolvedReconnectOptions, dialer: Dialer, application: ApplicationPort) {
    const { heartbeat, makeBeforeBreak, scheduler } = options;
    this.#options = options;
    this.#dialer = dialer;
    this.#application = application;
    const session = makeBeforeBreak ? drawSession() : undefined;
    this.#link = { ...heartbeat, session };
    this.#machine = new Reconnector(machineOptions(options));
    this.#timer = new LazyTimer(scheduler, () => {
      this.#run(this.#machine.tick(this.#now, this.current?.bufferedAmount));
    });
    const unsendable = (message: SocketData, error: unknown) => {
      application.emit('error', error);
      this.#drop('undeliverable', [message]);
    };
    const { delivery } = options;
    this.outbox = delivery?.open(options, unsendable) ?? new Outbox(options, unsendable);
    if (options.signal?.aborted) this.close();
    else this.#run(this.#machine.start(this.#now));
    this.#isFirst = false;
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#machine.readyState;
  }

  /** Sends a message now, or queues it. After the end, only counts it. */
  send(message: SocketData): void {
    const { current, outbox } = this;
    if (this.readyState >= ReadyState.Closing) outbox.lose(message);
    else if (this.#machine.phase === 'open' && current) outbox.sendFirst(current, message);
    else this.#drop('overflow', outbox.send(message));
  }

  close(code?: number, text?: string): void {
    this.#run(this.#machine.close(this.#now, code, text));
    if (this.readyState === ReadyState.Closing) this.#unwatchPage();
  }

  reconnect(): void {
    this.#run(this.#machine.reconnect(this.#now));
  }

  get #now(): Instant {
    return this.#options.scheduler.now();
  }

  // What happens.

  #onEvent(connection: Connection, ...event: ConnectionEvent): void {
    const [name, detail] = event;
    const { id } = connection;
    const isCurrent = connection === this.current;
    const machine = this.#machine;
    switch (name) {
      case 'open':
        return this.#run(machine.opened(this.#now, id));
      case 'error':
        if (isCurrent) this.#application.emit(name, detail);
        return this.#run(machine.failed(id));
      case 'end':
        if (isCurrent) this.current = undefined;
        else this.#standby = undefined;
        this.#preparation?.flush(); // the peer sent them before it closed
        return this.#run(machine.ended(this.#now, id, detail));
      case 'unanswered': {
        const { speaks: mayAnswer } = this.#link.memory;
        const silentFor = this.#now - connection.lastReceived;
        const pings = { reason: detail.reason, silentFor, mayAnswer };
        return this.#run(machine.unanswered(this.#now, id, pings));
      }
      case 'dead':
        if (isCurrent) this.#application.emit(name, detail);
        return this.#run(machine.dead(id, detail.reason));
      case 'suspect':
        this.#run(machine.suspect(this.#now, id, this.#link.memory.hasAnswered));
        break;
      case 'alive':
        this.#run(machine.recovered(id));
        break;
      case 'pong':
        if (isCurrent) this.outbox.answered?.(detail.id);
        this.#run(machine.answered(id));
        break;
      case 'ping':
        if (isCurrent) this.outbox.pinged?.();
        break;
      case 'stall':
        break;
      default:
        name satisfies never;
    }
    if (isCurrent) this.#application.emit(...(event as ReconnectEvent));
  }

  #receive(connection: Connection, data: unknown): void {
    const isCurrent = connection === this.current;
    const orders = this.#machine.received(connection.id, isCurrent ? 0 : byteLength(data));
    if (!isCurrent) connection.held.push(data);
    if (orders.length > 0) this.#run(orders);
    if (isCurrent && !this.#preparation?.hold(data)) this.#deliver(data);
  }

  /** After `close()`, the standard discards messages. */
  #deliver(data: unknown): void {
    if (this.readyState !== ReadyState.Open) return;
    this.#application.receive(data);
    this.#preparation?.receive(data);
  }

  // What is ordered.

  /** Performs orders. Their events may lead to other orders, which are performed in between. */
  #run(orders: readonly ReconnectOrder[]): void {
    for (const order of orders) this.#perform(order);
    this.#timer.set(this.#machine.deadline);
  }

  #perform(order: ReconnectOrder): void {
    switch (order.type) {
      case 'dial':
        return this.#dial(order.id, order.isStandby);
      case 'adopt':
        this.current = this.#standby;
        this.#standby = undefined;
        return;
      case 'open':
        return this.#open();
      case 'prepare':
        return void this.#prepare(this.current as Connection);
      case 'send':
        return this.#begin(this.current as Connection);
      case 'probe':
        return this.#find(order.id)?.link?.probe();
      case 'hold':
      case 'release':
        return this.outbox.hold(order.type === 'hold');
      case 'close':
        return this.#find(order.id)?.close(order.code, order.text);
      case 'detach':
      case 'terminate':
        return this.#end(this.#find(order.id), order);
      default:
        return this.#announce(order);
    }
  }

  /** Performs an order that is about events. */
  #announce(order: Extract<ReconnectOrder, { type: ApplicationOrder }>): void {
    switch (order.type) {
      case 'lost':
        return this.#lost(order.record, order.isToClose);
      case 'retry': {
        const { type, ...detail } = order;
        this.#watchPage();
        return this.#application.emit(type, detail);
      }
      case 'unanswered': {
        const silentFor = this.#now - (this.current?.lastReceived ?? 0);
        return this.#application.emit(order.type, { silentFor, reason: order.reason });
      }
      case 'giveup': {
        const { attempts, cause } = order;
        this.#finish();
        this.#application.emit(order.type, { attempts, cause });
        return order.isToClose ? this.#application.emit('close', cause) : undefined;
      }
      case 'closed':
        this.#drop('undeliverable', this.#interrupt(order.record));
        this.#finish();
        return this.#application.emit('close', order.record);
      default:
        order satisfies never;
    }
  }

  #find(id: ConnectionId): Connection | undefined {
    return this.current?.id === id ? this.current : this.#standby;
  }

  #dial(id: ConnectionId, isStandby: boolean): void {
    const connection = new Connection(id, this.#port);
    if (isStandby) this.#standby = connection;
    else this.current = connection;
    if (!isStandby) this.#unwatchPage();
    const { attempt, lastClose } = this.#machine;
    try {
      connection.dial((signal) => this.#dialer.prepare({ attempt, lastClose, signal }), this.#link);
    } catch (error) {
      if (this.#isFirst) throw error;
      this.#onEvent(connection, 'error', error);
    }
  }

  #open(): void {
    const socket = this.current?.socket as { protocol?: string; extensions?: string };
    this.protocol = socket.protocol ?? '';
    this.extensions = socket.extensions ?? '';
    this.#application.emit('open');
    this.#run(this.#machine.emitted(this.#now));
  }

  async #prepare(connection: Connection): Promise<void> {
    const { ready, scheduler } = this.#options;
    const { id, signal } = connection;
    const preparation = new Preparation(connection, this.#dialer.url, scheduler, (data) => {
      if (this.readyState === ReadyState.Open) this.#application.receive(data);
    });
    this.#preparation = preparation;
    try {
      await ready?.(preparation.socket, { signal });
      preparation.flush();
      this.#run(this.#machine.ready(this.#now, id));
    } catch (error) {
      const orders = this.#machine.notReady(this.#now, id);
      if (this.#machine.phase === 'failing' && this.current === connection) {
        this.#application.emit('error', error);
      }
      this.#run(orders);
    }
  }

  #begin(connection: Connection): void {
    this.#preparation = undefined;
    this.outbox.begin(connection);
    for (const data of connection.held.splice(0)) this.#deliver(data);
  }

  #end(connection: Connection | undefined, order: ReconnectOrder): void {
    if (connection === this.current) this.#preparation?.cancel();
    if (order.type === 'terminate') connection?.terminate(order.text);
    else connection?.detach();
  }

  #lost(record: CloseRecord, isToClose: boolean): void {
    const refused = this.#interrupt(record);
    if (isToClose) this.#application.emit('close', record);
    this.#drop('undeliverable', refused);
    this.#run(this.#machine.emitted(this.#now));
  }

  /** Stops sending. Returns a message that the server refuses. */
  #interrupt(record: CloseRecord): SocketData[] {
    this.#preparation = undefined;
    return this.outbox.interrupt(record);
  }

  /** Releases everything after the end. */
  #finish(): void {
    this.#unwatchPage();
    this.#drop('close', this.outbox.end());
  }

  /** A hint of the page, such as becoming visible, may end a wait. */
  #watchPage(): void {
    const { lifecycle } = this.#options;
    if (!lifecycle) return;
    const hint = () => this.#run(this.#machine.hint(this.#now));
    this.#unwatch = lifecycle.watch({ state() {}, hint });
  }

  #unwatchPage(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #drop(reason: DropReason, messages: readonly SocketData[]): void {
    if (messages.length > 0) this.#application.emit('drop', { messages, reason });
  }
}

type ApplicationOrder = 'lost' | 'retry' | 'unanswered' | 'giveup' | 'closed';

/** Whether the runtime reports that it is offline. */
function isOffline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false;
}

function machineOptions(options: ResolvedReconnectOptions) {
  return {
    ...options,
    random: options.backoff.random,
    pingTimeout: options.heartbeat.pingTimeout,
    hasReady: options.ready !== undefined,
    isOffline,
    shouldReconnect: (record: CloseRecord) => {
      try {
        return options.shouldReconnect(record);
      } catch (error) {
        report(error); // an error in the callback must not stop reconnecting
        return true;
      }
    },
  };
}
