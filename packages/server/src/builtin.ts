/** The modules of Node that are used where the runtime has them. */
interface Builtins {
  readonly 'node:crypto': typeof import('node:crypto');
  readonly 'node:diagnostics_channel': typeof import('node:diagnostics_channel');
  readonly 'node:net': typeof import('node:net');
  readonly 'node:os': typeof import('node:os');
}

/**
 * Returns a module of Node, or `undefined` if the runtime does not have it. An import would stop this
 * code from loading in such a runtime, for example in workerd without `nodejs_compat`.
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
}
