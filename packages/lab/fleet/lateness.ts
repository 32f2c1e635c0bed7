const PERIOD = 10;

/**
 * How long this process was kept from running, for the machine may be busy with other things: the
 * longest time by which a timer was late. What was due meanwhile came at once.
 */
export class Lateness {
  #worst = 0;
  #dueAt = performance.now() + PERIOD;
  readonly #timer: NodeJS.Timeout = setInterval(() => this.#look(), PERIOD);

  constructor() {
    this.#timer.unref();
  }

  /** The worst since it was asked last, in ms. */
  take(): number {
    this.#look();
    const worst = this.#worst;
    this.#worst = 0;
    return worst;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#worst = Math.max(this.#worst, now - this.#dueAt);
    this.#dueAt = now + PERIOD;
  }
}
