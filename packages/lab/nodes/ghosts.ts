import { REGISTRY_TIMING, TIMING } from './timing.ts';
import type { WatchedPresence } from './watched-presence.ts';

const { lease, grace } = REGISTRY_TIMING;
const INTERVAL = lease / 3;
/** If no server renews its lease for longer, the time does not count: see `Registries` in the reference. */
const LONGEST_GAP = 2 * INTERVAL;

/** What happened to a server or to Redis. */
interface Event {
  readonly at: number;
  readonly text: string;
}

/** The end of a connection on its server. */
export interface End {
  readonly client: string;
  readonly server: string;
  readonly reason: string;
  readonly at: number;
  /** The `detectionBound` of the connection. */
  readonly bound: number;
}

interface Gone {
  readonly at: number;
  readonly ends: End[];
}

/** A time in which the process of a server was stopped. */
interface Stall {
  readonly server: string;
  readonly from: number;
  readonly to: number;
}

const BEFORE = 10_000; // of the story of a user
/** What a stall adds to `detectionBound` besides its own length. */
const AFTER_STALL = TIMING.pingTimeout + 250 + 2 * (250 + 10);

/** Checks that watchers see each user leave within `presenceBound` of going away for good. */
export class Ghosts {
  readonly #gone: Map<string, Gone> = new Map();
  readonly #events: Event[] = [];
  readonly #stalls: Stall[] = [];
  /** When servers renewed their leases. */
  readonly #renewals: number[] = [];

  get count(): number {
    return this.#gone.size;
  }

  renewed(at: number): void {
    this.#renewals.push(at);
  }

  gone(user: string, at: number): void {
    this.#gone.set(user, { at, ends: [] });
  }

  /** A connection of a user has ended. */
  ended(user: string, end: End): void {
    this.#gone.get(user)?.ends.push(end);
  }

  stalled(stall: Stall): void {
    this.#stalls.push(stall);
  }

  /** Something has happened to a server or to Redis. Only for the report. */
  note(text: string, at: number): void {
    this.#events.push({ at, text });
  }

  /** Returns a line for each user who left late, or is still present for a watcher. */
  check(bound: number, { left, present }: WatchedPresence): string[] {
    const gaps = this.#gaps();
    return [...this.#gone].flatMap(([user, gone]) => {
      const { at } = gone;
      if (present.has(user)) return [`${user} is still present: ${this.#tell(gone)}`];
      const leftAt = left.get(user)?.at(-1) ?? at; // else it died before its session was registered
      const missing = gaps.reduce((sum, { from, to }) => {
        return sum + Math.max(0, Math.min(to, leftAt) - Math.max(from, at));
      }, 0);
      const slower = this.#slower(gone, bound - lease - grace - 2 * INTERVAL);
      const late = leftAt - at - bound - missing - slower;
      if (late <= 0) return [];
      const allowed = `${seconds(missing)} not counted, ${seconds(slower)} to detect it`;
      const times = `${seconds(leftAt - at)}, ${seconds(late)} late (${allowed})`;
      return [`${user} left after ${times}: ${this.#tell(gone, leftAt)}`];
    });
  }

  /** By how much the servers of the user may have detected the death after `detectionBound`. */
  #slower({ at, ends }: Gone, detectionBound: number): number {
    const overload = ends.map(({ bound }) => bound - detectionBound);
    const stalls = this.#stalls.filter(({ server, from, to }) => {
      const isTheirs = ends.some((end) => end.server === server && end.at > from);
      return isTheirs && to > at && to - from < lease;
    });
    return stalls.reduce(
      (sum, { from, to }) => sum + to - from + AFTER_STALL,
      Math.max(0, ...overload),
    );
  }

  /** What happened from a little before the user went. */
  #tell({ at, ends }: Gone, until: number = Number.POSITIVE_INFINITY): string {
    const told = ends.map(({ client, server, reason, at: endedAt, bound }) => {
      const text = `${client} ended on ${server} (${reason}, bound ${seconds(bound)})`;
      return { at: endedAt, text };
    });
    return [...told, ...this.#events]
      .filter((event) => event.at > at - BEFORE && event.at < until)
      .sort((a, b) => a.at - b.at)
      .map((event) => `${event.text} ${seconds(event.at - at)}`)
      .join(', ');
  }

  /** The times that do not count, because no server renewed its lease in time. */
  #gaps(): { readonly from: number; readonly to: number }[] {
    const inOrder = this.#renewals.sort((a, b) => a - b);
    return inOrder.flatMap((to, index) => {
      const last = inOrder[index - 1] ?? to;
      if (to - last <= INTERVAL) return [];
      return [{ from: to - last > LONGEST_GAP ? last : last + INTERVAL, to }];
    });
  }
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
