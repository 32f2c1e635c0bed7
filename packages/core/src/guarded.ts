/**
 * A listener that can throw without harm: its error is reported after the others have run, as an
 * unhandled rejection, which every runtime reports.
 */
export function guarded<Arguments extends unknown[]>(
  listener: (this: unknown, ...args: Arguments) => unknown,
): (this: unknown, ...args: Arguments) => void {
  return function (this: unknown, ...args: Arguments): void {
    try {
      listener.apply(this, args);
    } catch (error) {
      void Promise.reject(error);
    }
  };
}
