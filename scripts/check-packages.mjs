// Packs each package as it would be published, and asks publint and attw what is wrong with it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep, root } from './run.mjs';

const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
let failed = false;

try {
  await Promise.all(['core', 'client', 'server', 'cli'].map(pack));
  const tarballs = readdirSync(folder).map((name) => join(folder, name));
  if (tarballs.length !== 4) tell('pack', { code: 1, output: `${tarballs.length} of 4 packed` });
  await Promise.all(tarballs.map(checkTarball));
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

async function pack(name) {
  const args = ['--yes', '--prefer-offline', packageManager, 'pack', '--pack-destination', folder];
  const env = { npm_config_update_notifier: 'false' };
  tell(`pack ${name}`, await keep('npx', args, { cwd: `${root}packages/${name}`, env }));
}

async function checkTarball(tarball) {
  tell(`publint ${tarball}`, await keep('publint', [tarball, '--strict']));
  if (tarball.includes('wirebeat-0') || tarball.includes('cli')) return; // a program: no types
  tell(`attw ${tarball}`, await keep('attw', [tarball, '--profile', 'esm-only', '--no-color']));
}

function tell(what, { code, output }) {
  if (code === 0) return;
  failed = true;
  console.log(`${what}\n${output}`);
}
