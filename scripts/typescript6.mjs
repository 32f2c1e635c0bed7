// Module hooks that give TypeDoc the compiler of TypeScript 6: that of TypeScript 7 has no API yet.

export function resolve(name, context, next) {
  if (name !== 'typescript') return next(name, context);
  return next('@typescript/typescript6', { ...context, parentURL: import.meta.url });
}
