/**
 * Overrides a method of one object. Returns a function that restores it. If other code has
 * overridden the method since, ours stays in place and only calls the original.
 */
export function override<Method extends (...args: never[]) => unknown>(
  target: object,
  name: string,
  method: Method,
): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  const original = Reflect.get(target, name) as Method;
  let active = true;
  const replacement = function (this: unknown, ...args: never[]): unknown {
    return (active ? method : original).apply(this, args);
  };
  Object.defineProperty(target, name, { value: replacement, writable: true, configurable: true });
  return () => {
    active = false;
    if (Reflect.get(target, name) !== replacement) return;
    if (before === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, before);
  };
}
