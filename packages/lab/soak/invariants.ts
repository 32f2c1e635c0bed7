import { allowance } from '@wirebeat/lab/fleet/allowance';

/** What must never happen, and did. */
export interface Violation {
  readonly invariant:
    | 'one live socket'
    | 'death within its bound'
    | 'no message lost'
    | 'flat memory';
  readonly client: string;
  readonly what: string;
}

/** A silence, as far as it has come, and what the law gives it. */
export interface Silence {
  readonly client: string;
  readonly silentFor: number;
  readonly detectionBound: number;
  readonly pingTimeout: number;
  /** Of this connection, how late timers were. */
  readonly stalls: readonly number[];
}

/** What is known of one client. */
interface Client {
  /** Its connections that have not ended; those that have spoken are live. */
  readonly open: Map<number, 'silent' | 'live'>;
  /** The newest that has spoken. */
  newest: number;
  /** All messages up to it have arrived. */
  arrived: number;
}

/** So much longer than the law has it may a silence be: a look at it comes late too. */
const LOOK: number = 500;

/**
 * Watches over what a server meets: each connection of a client, by an ever greater number, and each
 * numbered message. Whatever breaks an invariant is told at once, and kept.
 */
export class Invariants {
  readonly violations: Violation[] = [];
  /** Messages that came again: delivery is at least once. */
  repeats = 0;
  messages = 0;
  readonly #clients: Map<string, Client> = new Map();

  opened(client: string, connection: number): void {
    this.#of(client).open.set(connection, 'silent');
  }

  /** It sent its first beat: any older connection of the client has ended, by its session. */
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

  /** A message has come, the `number`th that the client sent. */
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

  /** A connection is silent, or was until it was given up. */
  silent({ client, silentFor, detectionBound, pingTimeout, stalls }: Silence): void {
    const bound = detectionBound + allowance(stalls, pingTimeout) + LOOK;
    if (silentFor <= bound) return;
    const what = `silent for ${Math.round(silentFor)} ms, where ${Math.round(bound)} are the most`;
    this.#tell('death within its bound', client, what);
  }

  /** How many have not arrived of what each client has sent. */
  missing(sent: Readonly<Record<string, number>>): number {
    const counts = Object.entries(sent).map(([client, count]) => count - this.#of(client).arrived);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Nothing more will arrive. */
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
