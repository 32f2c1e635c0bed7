import type { Row, Scheduler } from '@wirebeat/core';
import { Stagger } from '../stagger.ts';
import type { TimingPolicy } from '../timing/timing-policy.ts';
import type { ConnectionRows } from './connection-rows.ts';
import type { ServerSocket } from './server-socket.ts';

interface AnnouncerContext {
  readonly policy: TimingPolicy;
  readonly scheduler: Scheduler;
  readonly random: () => number;
}

/** Sends what a server asks of its clients to all clients that have sent an application ping. */
export class Announcer<Socket extends ServerSocket> {
  readonly #rows: ConnectionRows<Socket>;
  readonly #context: AnnouncerContext;
  #announcing: Stagger<Row> | undefined;

  constructor(rows: ConnectionRows<Socket>, context: AnnouncerContext) {
    this.#rows = rows;
    this.#context = context;
  }

  /**
   * Staggers the messages over one client interval, so that the ping rate at most doubles meanwhile. Those
   * of an earlier call that are not sent yet are not sent.
   */
  announce(): void {
    const { policy, scheduler, random } = this.#context;
    const rows = this.#rows;
    const tell = (row: Row) => {
      if (!rows.isOpen(row) || rows.pageOf(row) === undefined) return;
      rows.act(row, (connection) => connection.announce(policy.welcome ?? {}));
    };
    this.cancel();
    const within = policy.clientInterval;
    this.#announcing = new Stagger([...rows.rows()], tell, { within, scheduler, random });
  }

  cancel(): void {
    this.#announcing?.cancel();
  }
}
