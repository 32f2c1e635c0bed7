// Finds the programs other than Node that some tests need, and installs them if it can.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { keep } from './run.mjs';
import { step } from './step.mjs';

const NETWORKS = 'the tests in network namespaces';

/**
 * Where each program may be, its Debian package, and what is skipped without it. `has` is a command
 * that the program must be able to run, which shows that it has a library. `folders` replace those on the
 * path. `isBackport`: Debian 12 has it only among its backports.
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
  python3: {
    names: ['python3'],
    variable: 'PYTHON_PATH',
    debian: 'python3',
    skips: 'the Python blocks of the docs, and the tests of the service of systemd',
  },
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
    skips: 'the tests behind HAProxy and its blocks of the docs',
  },
  'redis-server': {
    names: ['redis-server', 'valkey-server'],
    variable: 'REDIS_PATH',
    debian: 'redis-server',
    skips: 'the tests with Redis',
  },
  'valkey-server': {
    names: ['valkey-server'],
    variable: 'VALKEY_PATH',
    debian: 'valkey-server',
    isBackport: true,
    skips: 'the tests with Valkey',
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
  'nats-server': {
    names: ['nats-server'],
    variable: 'NATS_SERVER_PATH',
    debian: 'nats-server',
    skips: 'the tests against NATS',
  },
  RabbitMQ: {
    names: ['rabbitmq-server'],
    folders: ['/usr/lib/rabbitmq/bin'], // that on the path changes the user
    variable: 'RABBITMQ_SERVER_PATH',
    debian: 'rabbitmq-server',
    needs: 'epmd',
    skips: 'the tests against RabbitMQ',
  },
  epmd: {
    names: ['epmd'],
    variable: 'EPMD_PATH',
    debian: 'erlang-base',
    skips: 'the tests against RabbitMQ',
  },
  puma: {
    names: ['puma'],
    variable: 'PUMA_PATH',
    debian: 'puma',
    needs: 'Action Cable',
    skips: 'the tests against Action Cable',
  },
  'Action Cable': {
    names: ['ruby'],
    debian: 'ruby-actioncable',
    has: ['-e', 'require "action_cable"'],
    skips: 'the tests against Action Cable',
  },
  prometheus: {
    names: ['prometheus'],
    variable: 'PROMETHEUS_PATH',
    debian: 'prometheus',
    skips: 'the picture of the dashboard',
  },
  promtool: {
    names: ['promtool'],
    variable: 'PROMTOOL_PATH',
    debian: 'prometheus',
    skips: 'the check of the alert rules and of the queries of the dashboard',
  },
  'systemd-analyze': {
    names: ['systemd-analyze'],
    variable: 'SYSTEMD_ANALYZE_PATH',
    debian: 'systemd',
    skips: 'the check of the unit file',
  },
  'systemd-notify': {
    names: ['systemd-notify'],
    variable: 'SYSTEMD_NOTIFY_PATH',
    debian: 'systemd',
    skips: 'the tests of the service of systemd',
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

/** The tools that `npm test` needs; `npm run test:all` needs the rest. */
export const QUICK_TOOLS = ['chromium'];
export const ALL_TOOLS = Object.keys(TOOLS);

/** Folders of servers, which are not on everyone's path. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** Debian installs Go's libraries as source in a folder of its own, so no network is needed. */
const GO = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOPROXY: 'off', GOFLAGS: '' };

const HAS_LIMIT = 10_000; // ms, for a program to report whether it has a library

/** Keeps the wait short without a network, and waits for another apt that holds the lock. */
const APT_OPTIONS = ['Acquire::Retries=1', 'Acquire::http::Timeout=10', 'DPkg::Lock::Timeout=60'];

const APT_SOURCES = '/etc/apt/sources.list.d';
const DEBIAN = 'http://deb.debian.org/debian';
const DEBIAN_KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Returns the paths of the tools by name; `undefined` for a missing one. */
export function findTools() {
  return Object.fromEntries(Object.entries(TOOLS).map(([name, tool]) => [name, find(tool)]));
}

/** Returns the environment variables that tell tests where the tools are; empty for missing ones. */
export function toolVariables() {
  const named = Object.values(TOOLS).filter(({ variable }) => variable !== undefined);
  return Object.fromEntries(named.map((tool) => [tool.variable, find(tool) ?? '']));
}

/**
 * Installs the missing ones of the named tools from Debian's packages, if this process is root on
 * Debian. Returns a line for each tool that is still missing.
 */
export async function installTools(names) {
  const missing = isRootOnDebian() ? missingOf(names) : [];
  // Apart from the others: if one package cannot be found, apt installs none.
  for (const isBackport of [false, true]) {
    const some = missing.filter((name) => (TOOLS[name].isBackport ?? false) === isBackport);
    if (some.length === 0) continue;
    const packages = some.map((name) => TOOLS[name].debian);
    const install = () =>
      isBackport ? installBackports(packages) : installPackages(packages, APT_OPTIONS);
    await step(`install ${some.join(', ')}`, install);
  }
  return missingOf(names).map((name) => {
    const { skips, debian } = TOOLS[name];
    return `SKIPPED: ${skips}, for ${name} is missing (Debian: apt-get install ${debian})`;
  });
}

/** Adds the source of the backports for this installation only. */
async function installBackports(names) {
  const [, release] =
    /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-apt-'));
  try {
    for (const name of readdirSync(APT_SOURCES)) {
      symlinkSync(join(APT_SOURCES, name), join(folder, name));
    }
    const source = `deb [signed-by=${DEBIAN_KEYS}] ${DEBIAN} ${release}-backports main\n`;
    writeFileSync(join(folder, 'wirebeat-backports.list'), source);
    return await installPackages(names, [...APT_OPTIONS, `Dir::Etc::sourceparts=${folder}`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function installPackages(names, aptOptions) {
  const options = aptOptions.flatMap((option) => ['-o', option]);
  // Offline mode: prevents systemd from starting the servers among the packages.
  const env = { DEBIAN_FRONTEND: 'noninteractive', SYSTEMD_OFFLINE: '1' };
  await keep('apt-get', [...options, 'update'], { env }); // may fail if one of many sources is unavailable
  return keep('apt-get', [...options, 'install', '-y', '--no-install-recommends', ...names], {
    env,
  });
}

function missingOf(names) {
  const found = findTools();
  return names.filter((name) => found[name] === undefined);
}

function find({ names, folders: only, variable, needs, has }) {
  if (needs !== undefined && find(TOOLS[needs]) === undefined) return undefined;
  const given = variable === undefined ? undefined : process.env[variable];
  const folders = only ?? [...(process.env.PATH ?? '').split(delimiter), ...MORE_FOLDERS];
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [given, ...places].find(
    (path) => path !== undefined && path !== '' && isProgram(path) && runs(path, has),
  );
}

/**
 * The programs known to run. Each is checked once, because it takes a moment; missing ones are checked
 * again.
 */
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
