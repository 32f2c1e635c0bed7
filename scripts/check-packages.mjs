// Packs each package as it would be published, and asks publint and attw what is wrong with it.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep, root } from './run.mjs';

const PACKAGES = ['core', 'client', 'server', 'cli'];

const manifest = (folder) => JSON.parse(readFileSync(`${root}${folder}/package.json`, 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
let failed = false;

try {
  await pack();
  await Promise.all(PACKAGES.map(checkPackage));
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

/** All at once, for it is the start of pnpm that takes time. */
async function pack() {
  const { packageManager } = manifest('.');
  const filters = PACKAGES.map((name) => `--filter=./packages/${name}`);
  const args = ['-r', ...filters, 'pack', '--pack-destination', folder];
  const env = { npm_config_update_notifier: 'false' };
  await mustPass('npx', ['--yes', '--prefer-offline', packageManager, ...args], { env });
}

async function checkPackage(path) {
  const { name, version, types } = manifest(`packages/${path}`);
  const tarball = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  if (!existsSync(tarball)) return complain(`${name} was not packed`);
  await mustPass('publint', [tarball, '--strict']);
  if (types === undefined) return; // a program
  await mustPass('attw', [tarball, '--profile', 'esm-only', '--no-color']);
}

async function mustPass(command, args, options) {
  const { code, output } = await keep(command, args, options);
  if (code !== 0) complain(`${command} ${args.join(' ')}\n${output}`);
}

function complain(what) {
  failed = true;
  console.log(what);
}
