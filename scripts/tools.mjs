// Finds the programs that some tests need beside Node, and installs them where it can.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { keep } from './run.mjs';

/** Where a program may be named, its package in Debian, and what is skipped without it. */
const TOOLS = {
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    variable: 'CHROMIUM_PATH',
    debian: 'chromium',
    skips: 'the tests in a real browser',
  },
  python3: { names: ['python3'], debian: 'python3', skips: 'the Python blocks of the docs' },
  go: { names: ['go'], debian: 'golang-go', skips: 'the Go blocks of the docs' },
  php: { names: ['php'], debian: 'php-cli', skips: 'the PHP blocks of the docs' },
};

/** The paths of the tools by name; undefined for one that is not here. */
export function findTools() {
  return Object.fromEntries(Object.entries(TOOLS).map(([name, tool]) => [name, find(tool)]));
}

/**
 * Installs what is missing from Debian's packages, if this is root on a Debian. Returns a line for
 * each tool that is missing afterwards.
 */
export async function installTools() {
  const missing = missingTools();
  if (missing.length > 0 && isRootOnDebian()) {
    const packages = missing.map((name) => TOOLS[name].debian);
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const install = ['install', '-y', '--no-install-recommends', ...packages];
    await keep('apt-get', ['update'], { env });
    const { code, output } = await keep('apt-get', install, { env });
    if (code !== 0) process.stderr.write(output);
  }
  return missingTools().map(
    (name) =>
      `SKIPPED: ${TOOLS[name].skips}, for ${name} is missing (Debian: ${TOOLS[name].debian})`,
  );
}

function missingTools() {
  const found = findTools();
  return Object.keys(TOOLS).filter((name) => found[name] === undefined);
}

function find({ names, variable }) {
  const given = variable === undefined ? undefined : process.env[variable];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [given, ...places].find((path) => path !== undefined && path !== '' && isProgram(path));
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isRootOnDebian() {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
}
