// Finds the files of the workspace that git would track, without installed or built ones.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

const LEFT_OUT = new Set(['node_modules', 'dist', 'build', 'coverage', 'artifacts', '.git']);

/** Returns the paths below `folder` that end in `ending`, relative to the root and with slashes. */
export function filesBelow(folder, ending) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : filesBelow(path, ending);
    return entry.name.endsWith(ending) ? [path] : [];
  });
}
