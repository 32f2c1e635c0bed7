// Finds the programs that some tests need beside Node, and installs them where it can.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { keep } from './run.mjs';
import { step } from './step.mjs';

const NETWORKS = 'the tests in network namespaces';

/**
 * Where a program may be named, its package in Debian, and what is skipped without it. With `has`, what it
 * must be able to run: that has a library.
 */
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
  nginx: {
    names: ['nginx'],
    variable: 'NGINX_PATH',
    debian: 'nginx-light',
    skips: 'the tests behind nginx and its blocks of the docs',
  },
  haproxy: {
    names: ['haproxy'],
    variable: 'HAPROXY_PATH',
    debian: 'haproxy',
    skips: 'the tests behind HAProxy',
  },
  'python3-websockets': {
    names: ['python3'],
    variable: 'PYTHON_WEBSOCKETS_PATH',
    debian: 'python3-websockets',
    has: ['-c', 'import websockets'],
    skips: 'the tests against Python websockets',
  },
  'gorilla/websocket': {
    names: ['go'],
    variable: 'GO_WEBSOCKET_PATH',
    debian: 'golang-github-gorilla-websocket-dev',
    has: ['list', 'github.com/gorilla/websocket'],
    skips: 'the tests against Go',
  },
  ip: { names: ['ip'], variable: 'IP_PATH', debian: 'iproute2', skips: NETWORKS },
  iptables: { names: ['iptables'], variable: 'IPTABLES_PATH', debian: 'iptables', skips: NETWORKS },
  faketime: {
    names: ['faketime'],
    variable: 'FAKETIME_PATH',
    debian: 'faketime',
    skips: 'the tests with a wall clock that jumps',
  },
  'the right to make networks': {
    names: ['unshare'],
    variable: 'UNSHARE_PATH',
    debian: 'util-linux, and be root',
    has: ['--net', 'true'],
    skips: NETWORKS,
  },
};

/** What `npm test` needs; the rest is for `npm run test:all`. */
export const QUICK_TOOLS = ['chromium'];
export const ALL_TOOLS = Object.keys(TOOLS);

/** Servers are here, where not everybody has them on the path. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** Debian has Go's libraries as source, in a place of its own; nothing is asked of the network. */
const GO = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOPROXY: 'off', GOFLAGS: '' };

const HAS_LIMIT = 10_000; // ms, for a program to say whether it has a library

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
 * Installs those of the named tools that are missing from Debian's packages, if this is root on a
 * Debian. Returns a line for each tool that is missing afterwards.
 */
export async function installTools(names) {
  const missing = missingOf(names);
  if (missing.length > 0 && isRootOnDebian()) {
    await step(`install ${missing.join(', ')}`, () =>
      installPackages(missing.map((name) => TOOLS[name].debian)),
    );
  }
  return missingOf(names).map((name) => {
    const { skips, debian } = TOOLS[name];
    return `SKIPPED: ${skips}, for ${name} is missing (Debian: apt-get install ${debian})`;
  });
}

async function installPackages(names) {
  const options = APT_OPTIONS.flatMap((option) => ['-o', option]);
  // Offline: the servers among them are not started.
  const env = { DEBIAN_FRONTEND: 'noninteractive', SYSTEMD_OFFLINE: '1' };
  await keep('apt-get', [...options, 'update'], { env }); // may fail where one source of many is away
  return keep('apt-get', [...options, 'install', '-y', '--no-install-recommends', ...names], {
    env,
  });
}

function missingOf(names) {
  const found = findTools();
  return names.filter((name) => found[name] === undefined);
}

function find({ names, variable, needs, has }) {
  if (needs !== undefined && find(TOOLS[needs]) === undefined) return undefined;
  const given = variable === undefined ? undefined : process.env[variable];
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...MORE_FOLDERS];
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [given, ...places].find(
    (path) => path !== undefined && path !== '' && isProgram(path) && runs(path, has),
  );
}

/** Asked once of each: it takes a moment. What is missing may be installed meanwhile. */
const running = new Set();

function runs(path, args) {
  if (args === undefined || running.has(path)) return true;
  const options = { env: { ...process.env, ...GO }, stdio: 'ignore', timeout: HAS_LIMIT };
  const { status } = spawnSync(path, args, options);
  if (status === 0) running.add(path);
  return status === 0;
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
