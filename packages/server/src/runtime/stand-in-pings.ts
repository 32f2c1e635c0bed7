import { decodeBeat, encodeBeat } from '@wirebeat/core';

/** As many as a machine keeps track of. */
const MAX_ASKED = 16;
/** No id that a machine draws begins like this. */
const PREFIX = 'wb-t';

/**
 * Application pings in place of protocol Pings, for one client of a runtime that can send no Ping. Only a
 * client that has sent an application ping itself is asked: for others, a ping would be a message.
 */
export class StandInPings {
  #count = 0;
  #isAsked = false; // whether the client may be asked: it has sent an application ping
  #isFrozen = false;
  /** The Ping that waits until the client may be asked. */
  #held: string | undefined;
  /** The payloads of the Pings that are unanswered, by the ids of the application pings. */
  readonly #asked: Map<string, string> = new Map();

  /** Whether the client cannot be asked now: it does not send application pings, or it is frozen. */
  get isMute(): boolean {
    return !this.#isAsked || this.#isFrozen;
  }

  /** Returns the text to send for a Ping with this payload; nothing while the client cannot be asked. */
  ping(payload: string): string | undefined {
    if (!this.#isAsked) this.#held = payload;
    if (this.isMute) return undefined;
    this.#count += 1;
    const id = `${PREFIX}${this.#count.toString(36)}`;
    const [oldest] = this.#asked.keys();
    if (this.#asked.size >= MAX_ASKED && oldest !== undefined) this.#asked.delete(oldest);
    this.#asked.set(id, payload);
    return encodeBeat({ type: 'ping', id });
  }

  /**
   * Reads a message of the client. Returns the payload of the Ping that it answers, if it answers one.
   */
  answered(text: string): string | undefined {
    const beat = decodeBeat(text);
    this.#isFrozen = beat?.values?.['state'] === 'frozen';
    if (beat?.type === 'ping') this.#isAsked = true;
    const id = beat?.type === 'pong' ? beat.id : undefined;
    const payload = id && this.#asked.get(id);
    if (id !== undefined) this.#asked.delete(id);
    return payload;
  }

  /** Returns the Ping that waited until the client may be asked, once. */
  takeHeld(): string | undefined {
    if (this.isMute) return undefined;
    const held = this.#held;
    this.#held = undefined;
    return held;
  }
}
