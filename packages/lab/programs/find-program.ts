import { accessSync, constants } from 'node:fs';

/** The program that a variable of the environment names, as `scripts/test.mjs` sets it; undefined without. */
export function findProgram(variable: string): string | undefined {
  const path = process.env[variable] ?? '';
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

/** The same, for who cannot do without. */
export function requireProgram(variable: string): string {
  const path = findProgram(variable);
  if (path === undefined) throw new Error(`${variable} names no program`);
  return path;
}
