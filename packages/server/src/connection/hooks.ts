import type { ServerSocket } from './server-socket.ts';

/** A function of the application that the server calls: an option, or a `listener` of an event. */
export type HookName = 'authenticated' | 'user' | 'random' | 'listener';

/** A hook threw, or its promise was rejected. */
export interface HookFailure<Socket = ServerSocket> {
  readonly hook: HookName;
  /** What it threw. */
  readonly error: unknown;
  /** The socket that it was called for; `undefined` if it was for none. */
  readonly socket: Socket | undefined;
}

/**
 * Calls the hooks of the application. One that throws, or whose promise is rejected, ends neither the
 * process nor a heartbeat: its error is reported, and it has answered nothing.
 */
export class Hooks {
  readonly #report: (failure: HookFailure) => void;

  /** `report` must not throw. */
  constructor(report: (failure: HookFailure) => void) {
    this.#report = report;
  }

  /**
   * Calls `hook`, and `answered` with what it returns: at once, or when its promise resolves. With
   * `undefined` if it fails.
   */
  ask(
    name: HookName,
    socket: ServerSocket | undefined,
    hook: () => unknown,
    answered: (answer: unknown) => void,
  ): void {
    const fail = (error: unknown) => {
      this.#report({ hook: name, error, socket });
      answered(undefined);
    };
    let answer: unknown;
    try {
      answer = hook();
      if (isThenable(answer)) return void Promise.resolve(answer).then(answered, fail);
    } catch (error) {
      return fail(error);
    }
    answered(answer);
  }

  /** A source of chance that stays within [0, 1) whatever `random` does. */
  guardRandom(random: () => number): () => number {
    if (random === Math.random) return random;
    return () => {
      try {
        const drawn: unknown = random();
        if (typeof drawn === 'number' && drawn >= 0 && drawn < 1) return drawn;
        if (isThenable(drawn)) Promise.resolve(drawn).catch(() => {});
        throw new RangeError(`Expected \`random\` to return a number in [0, 1), got \`${drawn}\``);
      } catch (error) {
        this.#report({ hook: 'random', error, socket: undefined });
        return Math.random();
      }
    };
  }

  /** A listener that stops nothing when it fails. `report` is given the event too. */
  static guardListener(
    listener: (event: unknown) => unknown,
    report: (error: unknown, event: unknown) => void,
  ): (event: unknown) => void {
    return function (this: unknown, event: unknown): void {
      try {
        const answer = listener.call(this, event);
        if (isThenable(answer)) {
          Promise.resolve(answer).then(undefined, (error) => report(error, event));
        }
      } catch (error) {
        report(error, event);
      }
    };
  }
}

/** Says in a warning of the process what nobody listens for: it is printed, and ends nothing. */
export function warnOf({ hook, error }: HookFailure): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = `The hook \`${hook}\` failed, and nothing listens for the event \`error\`.`;
  process.emitWarning(message, { type: 'WirebeatWarning', code: 'WIREBEAT_HOOK_FAILED', detail });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
