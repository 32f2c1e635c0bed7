const PERIOD = 10;

/**
 * Measures how long this process did not run, because the machine may be busy: by how much a timer was
 * late at most. Everything due meanwhile happened at once.
 */
export class Lateness {
  #worst = 0;
  #dueAt = performance.now() + PERIOD;
  readonly #timer: NodeJS.Timeout = setInterval(() => this.#look(), PERIOD);

  constructor() {
    this.#timer.unref();
  }

  /** Returns the largest lateness since the last call, in ms. */
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
