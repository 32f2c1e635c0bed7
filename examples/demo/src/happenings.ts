/** Something that happened, with what is known of it. */
export interface Happening {
  readonly name: string;
  /** By `performance.now()`. */
  readonly at: number;
  readonly [detail: string]: unknown;
}

/** How many are kept: some minutes of them. */
const KEPT = 1_000;

/** All that happened to the connection, in order; and a way to wait for what happens next. */
export class Happenings {
  readonly all: Happening[] = [];
  readonly #watchers: Set<(happening: Happening) => void> = new Set();

  add(name: string, detail?: object): Happening {
    const happening = { ...detail, name, at: performance.now() };
    this.all.push(happening);
    if (this.all.length > KEPT) this.all.shift();
    for (const watcher of this.#watchers) watcher(happening);
    return happening;
  }

  /** Waits for the next one that fits. Rejects after `within` ms. */
  next(within: number, fits: (happening: Happening) => boolean): Promise<Happening> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        reject(new Error(`nothing came of it in ${within / 1_000} s`));
      }, within);
      const watcher = (happening: Happening) => {
        if (!fits(happening)) return;
        this.#watchers.delete(watcher);
        clearTimeout(timer);
        resolve(happening);
      };
      this.#watchers.add(watcher);
    });
  }
}
