// Audits the demo and the documentation site with Lighthouse, in Chromium. Fails if a page is not
// wholly accessible or breaks best practices. Performance is only printed, with what costs points below
// 90, because it depends on the machine. Lighthouse is installed for the run, because it is larger than
// all other tools together.
//
//   npm run lighthouse              the pages that most people see, and the largest ones
//   npm run lighthouse -- reference only those with this word in their address
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { startChromium, startDemo } from '../programs/demo-in-chromium.mjs';

const LIGHTHOUSE = 'lighthouse@12.8.2';
const ROOT = new URL('../../../', import.meta.url);
const SITE = fileURLToPath(new URL('build/site', ROOT));
const DEMO_PAGES = ['/', '/latency'];
const SITE_PAGES = [
  '/',
  '/getting-started',
  '/how-to/connection-status',
  '/comparison',
  '/reference',
];
/** How many of the largest pages are audited too. */
const LARGEST = 4;
/** The least score of each category. */
const LEAST = { accessibility: 1, 'best-practices': 0.95, performance: 0.9 };
const CATEGORIES = Object.keys(LEAST);
/** What fails the run. */
const REQUIRED = ['accessibility', 'best-practices'];
const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const folder = mkdtempSync(join(tmpdir(), 'wirebeat-lighthouse-'));
const [word = ''] = process.argv.slice(2);
const demo = await startDemo();
const site = createServer(giveFile).listen(0, '127.0.0.1');
let browser;
try {
  if (!existsSync(SITE)) run(process.execPath, ['scripts/docs.mjs', '--build'], ROOT);
  const lighthouse = await install();
  browser = await startChromium();
  const ofSite = `http://127.0.0.1:${site.address().port}`;
  const addresses = [
    ...DEMO_PAGES.map((path) => [`demo ${path}`, demo.url + path]),
    ...[...SITE_PAGES, ...largestPages()].map((path) => [`docs ${path}`, ofSite + path]),
  ];
  const wanted = addresses.filter(([name]) => name.includes(word));
  for (const [name, address] of wanted) await audit(lighthouse, name, address);
} finally {
  await browser?.close();
  demo.end();
  site.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function install() {
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', LIGHTHOUSE], folder);
  const entry = join(folder, 'node_modules/lighthouse/core/index.js');
  return (await import(pathToFileURL(entry).href)).default;
}

function run(program, args, cwd) {
  execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Returns the largest pages of the site that are not audited anyway: large pages are slow. */
function largestPages() {
  const files = readdirSync(SITE, { recursive: true }).filter((name) => name.endsWith('.html'));
  const sized = files.map((name) => ({ name, size: statSync(join(SITE, name)).size }));
  const paths = sized
    .sort((one, other) => other.size - one.size)
    .map(({ name }) => `/${name.replaceAll('\\', '/').replace(/(index)?\.html$/, '')}`);
  return paths.filter((path) => !SITE_PAGES.includes(path)).slice(0, LARGEST);
}

/** Audits one page: prints its scores, and what costs points in those that are too low. */
async function audit(lighthouse, name, address) {
  const lhr = await lhrOf(lighthouse, name, address);
  const scores = CATEGORIES.map((id) => `${id} ${Math.round(100 * scoreOf(lhr, id))}`);
  console.log(`${name}: ${scores.join(', ')}`);
  for (const id of CATEGORIES.filter((id) => scoreOf(lhr, id) < LEAST[id])) {
    if (REQUIRED.includes(id)) process.exitCode = 1;
    for (const complaint of complaintsOf(lhr, id)) console.log(`  ${complaint}`);
  }
}

async function lhrOf(lighthouse, name, address) {
  const port = Number(new URL(browser.wsEndpoint()).port);
  const flags = { port, logLevel: 'error', onlyCategories: CATEGORIES };
  const { lhr } = await lighthouse(address, flags);
  if (lhr.runtimeError) throw new Error(`${name}: ${lhr.runtimeError.message}`);
  return lhr;
}

function scoreOf(lhr, category) {
  return lhr.categories[category].score;
}

function complaintsOf(lhr, category) {
  const audits = lhr.categories[category].auditRefs.map(({ id }) => lhr.audits[id]);
  const failed = audits.filter(({ score }) => score !== null && score < 1);
  return failed.map(({ title, details }) => {
    const places = (details?.items ?? []).map(({ node }) => node?.selector ?? '');
    return `${title} ${places.join(', ')}`.trimEnd();
  });
}

/** Serves a file of the site, compressed as any host of such a site does. */
function giveFile({ url = '/' }, response) {
  const { pathname } = new URL(url, 'http://localhost');
  const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
  const file = [path, `${path}.html`].map((name) => join(SITE, name)).find(existsFile);
  if (file === undefined) return response.writeHead(404).end();
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
  return response.end(gzipSync(readFileSync(file)));
}

function existsFile(file) {
  return file.startsWith(SITE) && extname(file) !== '' && existsSync(file);
}
