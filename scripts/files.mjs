// Finds the files of the workspace: what git would track, and nothing that is installed or built.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

const LEFT_OUT = new Set(['node_modules', 'dist', 'build', 'coverage', 'artifacts', '.git']);

/** The paths below `folder`, from the root and with slashes, that end in `ending`. */
export function filesBelow(folder, ending) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) ? [] : filesBelow(path, ending);
    return entry.name.endsWith(ending) ? [path] : [];
  });
}
