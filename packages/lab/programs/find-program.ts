import { accessSync, constants } from 'node:fs';

/**
 * Returns the program named by an environment variable, which `scripts/test.mjs` sets, or `undefined`.
 */
export function findProgram(variable: string): string | undefined {
  const path = process.env[variable] ?? '';
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

/** Like {@link findProgram}, but throws if the program is missing. */
export function requireProgram(variable: string): string {
  const path = findProgram(variable);
  if (path === undefined) throw new Error(`${variable} names no program`);
  return path;
}
