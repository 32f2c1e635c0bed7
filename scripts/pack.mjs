// Packs the packages as for publishing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keep, root } from './run.mjs';

export const PACKAGES = ['core', 'client', 'server', 'cli'];

export const manifest = (folder) =>
  JSON.parse(readFileSync(`${root}${folder}/package.json`, 'utf8'));

/** Runs the pnpm that package.json pins. Resolves to `{ code, output }`. */
export function pnpm(args, options = {}) {
  const { packageManager } = manifest('.');
  const env = { npm_config_update_notifier: 'false', ...options.env };
  return keep('npx', ['--yes', '--prefer-offline', packageManager, ...args], { ...options, env });
}

/**
 * Packs all packages into a folder with one run of pnpm, because starting pnpm takes most of the time.
 */
export function pack(folder) {
  const filters = PACKAGES.map((name) => `--filter=./packages/${name}`);
  return pnpm(['-r', ...filters, 'pack', '--pack-destination', folder]);
}

/** Returns where `pack` puts the package in `packages/NAME`. */
export function tarballOf(folder, name) {
  const { name: full, version } = manifest(`packages/${name}`);
  return join(folder, `${full.replace('@', '').replace('/', '-')}-${version}.tgz`);
}
