/**
 * Wraps a listener so that it can throw safely. Its error is reported after the other listeners
 * have run, as an unhandled rejection, which every runtime shows.
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
