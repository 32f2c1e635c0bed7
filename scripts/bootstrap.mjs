// Installs the workspace with the pnpm that package.json pins, unless the installed packages already
// match pnpm-lock.yaml. Needs only Node and npm, and no network if everything is up to date.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => {
  try {
    return readFileSync(root + path, 'utf8');
  } catch {
    return '';
  }
};

// After a full install, pnpm leaves an exact copy of the lockfile.
if (read('node_modules/.pnpm/lock.yaml') !== read('pnpm-lock.yaml')) {
  const { packageManager } = JSON.parse(read('package.json'));
  const args = ['--yes', '--prefer-offline', packageManager, 'install', '--frozen-lockfile'];
  const { status } = spawnSync('npx', args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
    env: { ...process.env, npm_config_update_notifier: 'false' },
  });
  process.exit(status ?? 1);
}
