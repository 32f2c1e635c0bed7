import { InvalidOptionError } from '@wirebeat/core';
import type { History } from '../report/history.ts';
import type { ReconnectingSocket } from '../snapshot-store.ts';
import { type StatusStore, statusOf } from '../status/status.ts';
import { EventLog } from './event-log.ts';
import { StatusView } from './status-view.ts';
import { ENGLISH, type StatusWords } from './words.ts';

/** On a server there is no such class, and nobody creates an element. */
const Base: typeof HTMLElement = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** How often the countdown changes. */
const SECOND = 1_000;
/** Those that a page may set before the element is defined. */
const PROPERTIES = ['socket', 'store', 'words'] as const;

/**
 * The element `<wirebeat-status>`: a dot, a word and the latency, details on request, and a banner
 * while the connection is lost. Register it with {@link defineStatusElement}, and give it a `socket`
 * or a `store`.
 *
 * Attributes: `banner` (`top`, which is the default, `inline` or `none`), `theme` (`light` or `dark`;
 * by default, that of the system), and `lost-after` in ms, which is read when `socket` is set.
 */
export class StatusElement extends Base {
  /** Creates the report to copy; without one, the element makes a short report itself. */
  declare history: Pick<History, 'report'> | undefined; // no initial value, which would replace one set before
  #socket: ReconnectingSocket | undefined;
  #store: StatusStore | undefined;
  #words: StatusWords = ENGLISH;
  #log: EventLog = new EventLog();
  #view: StatusView | undefined;
  #unsubscribe: (() => void) | undefined;
  #ticking: ReturnType<typeof setInterval> | undefined;

  /**
   * The socket to show.
   *
   * @throws {InvalidOptionError} in the same cases as {@link statusOf}, when it is set.
   */
  get socket(): ReconnectingSocket | undefined {
    return this.#socket;
  }

  set socket(socket: ReconnectingSocket | null | undefined) {
    if ((socket ?? undefined) === this.#socket) return;
    const lostAfter = this.getAttribute('lost-after');
    const options = lostAfter ? { lostAfter: Number(lostAfter) } : {};
    const store = socket ? statusOf(socket, options) : undefined;
    this.#socket = socket ?? undefined;
    this.#follow(store);
  }

  /**
   * The store to show, of {@link statusOf}; set instead of `socket`, such as for a socket with a
   * heartbeat that does not reconnect.
   *
   * @throws {InvalidOptionError} if it is any other store, such as that of `snapshotOf`.
   */
  get store(): StatusStore | undefined {
    return this.#store;
  }

  set store(store: StatusStore | null | undefined) {
    if (store && !('onQuality' in Object(store))) {
      throw new InvalidOptionError('store', 'that of statusOf()', store);
    }
    this.#socket = undefined;
    this.#follow(store ?? undefined);
  }

  /** The words in use. Set only those that you replace; the others are English. */
  get words(): StatusWords {
    return this.#words;
  }

  set words(words: Partial<StatusWords>) {
    for (const [name, value] of Object.entries(words)) {
      if (!(name in ENGLISH)) throw new InvalidOptionError(name, 'absent', value);
    }
    this.#words = { ...ENGLISH, ...words };
    this.#render();
  }

  connectedCallback(): void {
    for (const name of PROPERTIES) this.#upgrade(name);
    this.#view ??= new StatusView(this.attachShadow({ mode: 'open' }), {
      retry: () => this.#socket?.reconnect(),
      copy: () => void this.#copy(),
    });
    this.#follow(this.#store);
  }

  disconnectedCallback(): void {
    this.#leave();
  }

  /** Takes a property that was set before the element was defined, and hides the setter. */
  #upgrade(name: (typeof PROPERTIES)[number]): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    Reflect.deleteProperty(this, name);
    Reflect.set(this, name, value);
  }

  #follow(store: StatusStore | undefined): void {
    this.#leave();
    if (store !== this.#store) this.#log = new EventLog();
    this.#store = store;
    if (!this.isConnected || this.#view === undefined) return;
    this.#view.hide(store === undefined);
    this.#unsubscribe = store?.subscribe((status) => {
      this.#log.note(status, this.#words);
      this.#render();
    });
  }

  #leave(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#tick(false);
  }

  #render(): void {
    const status = this.#store?.getSnapshot();
    if (status === undefined) return;
    const { retryAt } = status;
    this.#view?.render(status, {
      words: this.#words,
      events: this.#log.events,
      canRetry: this.#socket !== undefined,
      hasBanner: this.getAttribute('banner') !== 'none',
      seconds: retryAt && Math.max(0, Math.ceil((retryAt - performance.now()) / SECOND)),
    });
    this.#tick(retryAt !== undefined && this.isConnected);
  }

  /** Starts or stops the countdown. */
  #tick(isOn: boolean): void {
    if (isOn) {
      this.#ticking ??= setInterval(() => this.#render(), SECOND);
      return;
    }
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  async #copy(): Promise<void> {
    const status = this.#store?.getSnapshot();
    if (status === undefined) return;
    const text = this.history?.report() ?? this.#log.report(status, this.#words);
    try {
      await navigator.clipboard.writeText(text);
      this.#view?.say(this.#words.copied);
    } catch {
      this.#view?.say(this.#words.notCopied); // without permission, or on a page without TLS
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'wirebeat-status': StatusElement;
  }
}

/**
 * Registers {@link StatusElement} as a custom element. Does nothing on a server, and if an element
 * with that name exists.
 */
export function defineStatusElement(name = 'wirebeat-status'): void {
  const { customElements } = globalThis;
  if (customElements !== undefined && customElements.get(name) === undefined) {
    customElements.define(name, class extends StatusElement {}); // a class has one name only
  }
}
