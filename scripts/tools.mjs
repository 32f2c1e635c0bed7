// Finds the programs that some tests need beside Node, and installs them where it can.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { keep } from './run.mjs';
import { step } from './step.mjs';

/** Where a program may be named, its package in Debian, and what is skipped without it. */
const TOOLS = {
  chromium: {
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    variable: 'CHROMIUM_PATH',
    debian: 'chromium',
    skips: 'the tests in Chromium',
  },
  firefox: {
    names: ['firefox-esr', 'firefox'],
    variable: 'FIREFOX_PATH',
    debian: 'firefox-esr',
    skips: 'the tests in Firefox',
  },
  webkit: {
    names: ['WebKitWebDriver'],
    variable: 'WEBKIT_DRIVER_PATH',
    debian: 'webkit2gtk-driver',
    needs: 'xvfb', // it has no headless mode
    skips: 'the tests in WebKit',
  },
  xvfb: { names: ['Xvfb'], debian: 'xvfb', skips: 'the tests in WebKit' },
  python3: { names: ['python3'], debian: 'python3', skips: 'the Python blocks of the docs' },
  go: { names: ['go'], debian: 'golang-go', skips: 'the Go blocks of the docs' },
  php: { names: ['php'], debian: 'php-cli', skips: 'the PHP blocks of the docs' },
};

/** So that a machine without a network waits for seconds, and one whose apt is busy does not fail. */
const APT_OPTIONS = ['Acquire::Retries=1', 'Acquire::http::Timeout=10', 'DPkg::Lock::Timeout=60'];

/** The paths of the tools by name; undefined for one that is not here. */
export function findTools() {
  return Object.fromEntries(Object.entries(TOOLS).map(([name, tool]) => [name, find(tool)]));
}

/** The variables by which tests find the tools; empty for one that is not here. */
export function toolVariables() {
  const named = Object.values(TOOLS).filter(({ variable }) => variable !== undefined);
  return Object.fromEntries(named.map((tool) => [tool.variable, find(tool) ?? '']));
}

/**
 * Installs what is missing from Debian's packages, if this is root on a Debian. Returns a line for
 * each tool that is missing afterwards.
 */
export async function installTools() {
  const missing = missingTools();
  if (missing.length > 0 && isRootOnDebian()) {
    await step(`install ${missing.join(', ')}`, () =>
      installPackages(missing.map((name) => TOOLS[name].debian)),
    );
  }
  return missingTools().map((name) => {
    const { skips, debian } = TOOLS[name];
    return `SKIPPED: ${skips}, for ${name} is missing (Debian: apt-get install ${debian})`;
  });
}

async function installPackages(names) {
  const options = APT_OPTIONS.flatMap((option) => ['-o', option]);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await keep('apt-get', [...options, 'update'], { env }); // may fail where one source of many is away
  return keep('apt-get', [...options, 'install', '-y', '--no-install-recommends', ...names], {
    env,
  });
}

function missingTools() {
  const found = findTools();
  return Object.keys(TOOLS).filter((name) => found[name] === undefined);
}

function find({ names, variable, needs }) {
  if (needs !== undefined && find(TOOLS[needs]) === undefined) return undefined;
  const given = variable === undefined ? undefined : process.env[variable];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [given, ...places].find((path) => path !== undefined && path !== '' && isProgram(path));
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isRootOnDebian() {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
}
