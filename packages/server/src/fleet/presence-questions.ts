import type { HeartbeatStatus, Instant, Millis, Scheduler } from '@wirebeat/core';
import type { ConnectionHeartbeat } from '../connection-heartbeat.ts';
import { instanceOf, type Place } from './registry.ts';

/** What the owning server knows of a connection. */
export interface PlaceQuality {
  readonly status: HeartbeatStatus;
  /** `false` while the page is unresponsive; absent if it has sent no application ping. */
  readonly isResponsive?: boolean;
  /** In ms; absent before the first pong. */
  readonly transportLatency?: Millis;
  /** In ms; absent before the first pong. */
  readonly applicationLatency?: Millis;
  /** Time since anything was received, in ms. */
  readonly silentFor: Millis;
}

/** What {@link PresenceQuestions} need of their server. */
export interface PresenceQuestionsPort {
  readonly scheduler: Scheduler;
  readonly instance: string;
  send(instance: string, message: string): PromiseLike<unknown>;
  /** Returns what this server knows of one of its connections. */
  answer(connection: string): PlaceQuality | undefined;
}

const ANSWER_LIMIT: Millis = 1_000; // another server answers from memory

/** Asks other servers about their connections, and answers their questions. */
export class PresenceQuestions {
  readonly #port: PresenceQuestionsPort;
  readonly #open: Map<string, (quality: PlaceQuality | undefined) => void> = new Map();
  #count = 0;

  constructor(port: PresenceQuestionsPort) {
    this.#port = port;
  }

  /** Resolves to `undefined` if the connection has ended, or its server does not answer in time. */
  async ask({ connection }: Place): Promise<PlaceQuality | undefined> {
    const { scheduler, instance } = this.#port;
    const to = instanceOf(connection);
    if (to === instance) return this.#port.answer(connection);
    this.#count += 1;
    const id = `${this.#count}`;
    const answered = new Promise<PlaceQuality | undefined>((resolve) => {
      const timer = scheduler.at(scheduler.now() + ANSWER_LIMIT, () => this.#settle(id, undefined));
      this.#open.set(id, (quality) => {
        timer.cancel();
        resolve(quality);
      });
    });
    this.#port.send(to, `ask ${instance} ${id} ${connection}`).then(undefined, () => {
      this.#settle(id, undefined);
    });
    return answered;
  }

  /** A message of another server. */
  receive(message: string): void {
    const [kind, first = '', second = '', ...rest] = message.split(' ');
    if (kind === 'ask') {
      const quality = JSON.stringify(this.#port.answer(rest.join(' ')) ?? null);
      void this.#port.send(first, `answer ${second} ${quality}`).then(undefined, () => {});
    } else if (kind === 'answer') {
      this.#settle(first, parsed([second, ...rest].join(' ')));
    }
  }

  #settle(id: string, quality: PlaceQuality | undefined): void {
    const settle = this.#open.get(id);
    this.#open.delete(id);
    settle?.(quality);
  }
}

/** Returns what a server knows of one of its connections at `now`. */
export function qualityOf(connection: ConnectionHeartbeat, now: Instant): PlaceQuality {
  const { status, isResponsive, transportLatency, applicationLatency, lastReceived } = connection;
  return {
    status,
    ...(isResponsive !== undefined && { isResponsive }),
    ...(transportLatency !== undefined && { transportLatency }),
    ...(applicationLatency !== undefined && { applicationLatency }),
    silentFor: now - lastReceived,
  };
}

function parsed(text: string): PlaceQuality | undefined {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined; // of a newer version, perhaps
  }
}
