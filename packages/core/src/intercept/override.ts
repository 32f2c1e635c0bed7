/**
 * Overrides a method of one object. Returns a function that restores it. If other code has
 * overridden the method since, ours stays in place and only calls the original.
 */
export function override<Method extends (...args: never[]) => unknown>(
  target: object,
  name: string,
  method: Method,
): () => void {
  const methods = target as Record<string, unknown>;
  const before = Object.getOwnPropertyDescriptor(target, name);
  const original = methods[name] as Method;
  let current = method;
  const value = function (this: unknown, ...args: never[]): unknown {
    return current.apply(this, args);
  };
  Object.defineProperty(target, name, { value, writable: true, configurable: true });
  return () => {
    current = original;
    if (methods[name] !== value) return;
    delete methods[name];
    if (before) Object.defineProperty(target, name, before);
  };
}
