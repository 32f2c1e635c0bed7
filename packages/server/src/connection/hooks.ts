import type { ServerSocket } from './server-socket.ts';

/**
 * A function of the application that the server calls: an option, or a `listener` of an event. Or the
 * `registry`, if the server cannot reach it.
 */
export type HookName = 'authenticated' | 'user' | 'random' | 'listener' | 'registry';

/** A hook threw, or its promise was rejected. */
export interface HookFailure<Socket = ServerSocket> {
  readonly hook: HookName;
  /** What it threw. */
  readonly error: unknown;
  /** The socket that the hook was called for, or `undefined` if it was called for none. */
  readonly socket: Socket | undefined;
}

/**
 * Calls the hooks of the application. A hook that throws, or whose promise rejects, stops neither the
 * process nor a heartbeat: its error is reported, and its answer counts as `undefined`.
 */
export class Hooks {
  readonly #report: (failure: HookFailure) => void;

  /** `report` must not throw. */
  constructor(report: (failure: HookFailure) => void) {
    this.#report = report;
  }

  /**
   * Calls `hook`, then passes its return value to `answered`: at once, or when its promise resolves. If
   * the hook fails, `answered` receives `undefined`.
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

  /** Reports a failure that the caller has noticed. */
  fail(hook: HookName, socket: ServerSocket | undefined, error: unknown): void {
    this.#report({ hook, error, socket });
  }

  /** Returns a random function that always returns numbers in [0, 1), even if `random` fails. */
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

  /**
   * Returns a listener that never throws. If `listener` fails, `report` receives the error and the
   * event.
   */
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

/**
 * Emits a process warning for a failure that has no `error` listener, or prints it where there is no
 * process. Node prints the warning, and the process continues.
 */
export function warnOf({ hook, error }: HookFailure): void {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = `The hook \`${hook}\` failed, and nothing listens for the event \`error\`.`;
  const warning = { type: 'WirebeatWarning', code: 'WIREBEAT_HOOK_FAILED', detail };
  if (globalThis.process?.emitWarning !== undefined) process.emitWarning(message, warning);
  else console.warn(`${message}\n${detail}`);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
