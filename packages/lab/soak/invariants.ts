import { allowance } from '@wirebeat/lab/fleet/allowance';

/** An event that must never happen but did. */
export interface Violation {
  readonly invariant:
    | 'one live socket'
    | 'death within its bound'
    | 'no message lost'
    | 'flat memory';
  readonly client: string;
  readonly what: string;
}

/** A silence so far, and the time that the law allows. */
export interface Silence {
  readonly client: string;
  readonly silentFor: number;
  readonly detectionBound: number;
  readonly pingTimeout: number;
  /** How late the timers of this connection were. */
  readonly stalls: readonly number[];
}

/** The state of one client. */
interface Client {
  /** Its open connections; those that have sent a ping are live. */
  readonly open: Map<number, 'silent' | 'live'>;
  /** The newest connection that has sent a ping. */
  newest: number;
  /** All messages up to this number have arrived. */
  arrived: number;
}

/** Tolerance in ms for a silence, because a check of it is late too. */
const LOOK: number = 500;

/**
 * Checks the invariants on a server: for each connection of a client, with ascending numbers, and each
 * numbered message. Reports and keeps each violation at once.
 */
export class Invariants {
  readonly violations: Violation[] = [];
  /** Messages that arrived again: delivery is at least once. */
  repeats = 0;
  messages = 0;
  readonly #clients: Map<string, Client> = new Map();

  opened(client: string, connection: number): void {
    this.#of(client).open.set(connection, 'silent');
  }

  /**
   * The connection sent its first ping: any older connection of the client has ended, by its session.
   */
  spoke(client: string, connection: number): void {
    const { open } = this.#of(client);
    if (!open.has(connection)) return;
    open.set(connection, 'live');
    this.#of(client).newest = Math.max(this.#of(client).newest, connection);
    const live = [...open].filter(([, state]) => state === 'live');
    if (live.length < 2) return;
    const numbers = live.map(([number]) => number).join(' and ');
    this.#tell('one live socket', client, `its connections ${numbers} were live at once`);
  }

  ended(client: string, connection: number): void {
    this.#of(client).open.delete(connection);
  }

  /** The client's message `number` has arrived. */
  arrived(client: string, connection: number, number: number): void {
    const known = this.#of(client);
    this.messages += 1;
    if (connection < known.newest) {
      const what = `message ${number} came by connection ${connection}, after ${known.newest} had spoken`;
      this.#tell('one live socket', client, what);
    }
    if (number <= known.arrived) {
      this.repeats += 1;
      return;
    }
    if (number > known.arrived + 1) {
      this.#tell('no message lost', client, `message ${number} came after ${known.arrived}`);
    }
    known.arrived = number;
  }

  /** A connection is silent, or was until it was declared dead. */
  silent({ client, silentFor, detectionBound, pingTimeout, stalls }: Silence): void {
    const bound = detectionBound + allowance(stalls, pingTimeout) + LOOK;
    if (silentFor <= bound) return;
    const what = `silent for ${Math.round(silentFor)} ms, where ${Math.round(bound)} are the most`;
    this.#tell('death within its bound', client, what);
  }

  /** Returns how many of the sent messages have not arrived. */
  missing(sent: Readonly<Record<string, number>>): number {
    const counts = Object.entries(sent).map(([client, count]) => count - this.#of(client).arrived);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Checks at the end, when nothing more will arrive. */
  finish(sent: Readonly<Record<string, number>>): void {
    for (const [client, count] of Object.entries(sent)) {
      const { arrived } = this.#of(client);
      if (arrived === count) continue;
      this.#tell('no message lost', client, `of ${count} messages only ${arrived} arrived`);
    }
  }

  #of(client: string): Client {
    let known = this.#clients.get(client);
    if (known === undefined) {
      known = { open: new Map(), newest: 0, arrived: 0 };
      this.#clients.set(client, known);
    }
    return known;
  }

  #tell(invariant: Violation['invariant'], client: string, what: string): void {
    this.violations.push({ invariant, client, what });
  }
}
