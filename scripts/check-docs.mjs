// Checks the docs: compiles or runs every code block, follows every link, and rejects repeated table
// rows.
//
// The info string of a block decides how it is checked. `ts`, `tsx` and `js` are compiled, each as its
// own module; with the word `run`, they are also run, and with `continued`, they are appended to the
// block before; with `tested`, a test in packages/lab runs the block, and nothing is checked here. Scripts in `html` are compiled; `json` is parsed; the npm scripts and files that `sh`
// names must exist. `python`, `go` and `php` are parsed, and with the word `minimal-peer`, run on the
// vectors of packages/core; `nginx` is parsed as part of a server,
// and `haproxy` as a whole configuration.
//
// Those five need programs of their own: `--other-languages` checks them, and nothing else.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import {
  claimsOf,
  numbersKeptIn,
  numbersOf,
  peersIn,
  printsFigures,
  rowsKeptIn,
  unnamedOptions,
} from './figures.mjs';
import { filesBelow } from './files.mjs';
import { LANGUAGES } from './languages.mjs';
import { anchors, localLinks, readMarkdown, repeatedRows } from './markdown.mjs';
import { optionComplaints } from './option-tables.mjs';
import { keep, root } from './run.mjs';
import { findTools } from './tools.mjs';

const RUN_LIMIT = 120_000; // ms, for an example that does not end: the machine may be busy
const BUILD_LIMIT = 90_000; // ms, for a language that compiles its own library first
const LET_THROUGH = new Set(['', 'text', 'abnf']);
/** The page that every reader has read. */
const FIRST_PAGE = 'docs/getting-started.md';
/** Packages that readers of the pages on frameworks, runtimes and migration already have. */
const BROUGHT_ALONG = new Set([
  ...['react', 'vue', 'react-native', '@react-native-community/netinfo'],
  ...['partysocket', 'reconnecting-websocket', 'socket.io', 'socket.io-client'],
  ...['@vueuse/core', 'react-use-websocket'],
  ...[
    'express',
    'express-ws',
    'koa',
    'fastify',
    '@fastify/websocket',
    'crossws',
    'reflect-metadata',
  ],
  ...['hono', '@hono/node-server', '@hono/node-ws'],
  ...['@nestjs/common', '@nestjs/core', '@nestjs/platform-ws', '@nestjs/websockets'],
]);
/** Every figure in these files must have been measured. */
const BOASTS = new Set(['README.md', 'CHANGELOG.md']);
/** The pages with the tables of options. */
const REFERENCE = 'docs/reference/';
/** The page whose tables compare libraries, some of them with options. */
const COMPARISON = 'docs/comparison.md';
const COMPILED = new Set(['ts', 'tsx', 'js']);

const isOther = process.argv.includes('--other-languages');
const tools = findTools();
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const vectors = JSON.parse(readFileSync(`${root}packages/core/vectors.json`, 'utf8'));
const complaints = [];
const skipped = new Set();
// Inside the root, so that imports resolve to the packages of the workspace.
mkdirSync(`${root}build`, { recursive: true });
const folder = mkdtempSync(join(root, 'build/docs-'));
// The libraries that the page about migrations compares are those of the lab.
symlinkSync(`${root}packages/lab/node_modules`, join(folder, 'node_modules'), 'junction');

try {
  const files = filesBelow('', '.md');
  const pages = new Map(files.map((file) => [file, readMarkdown(read(file))]));
  const all = files.flatMap((file) =>
    pages.get(file).blocks.map((block) => ({ ...block, file, place: `${file}:${block.line}` })),
  );
  const blocks = all.filter(({ language }) => isOther === language in LANGUAGES);
  if (isOther) for (const block of blocks) await checkInLanguage(block);
  else {
    for (const file of files) checkLinks(file, pages);
    for (const file of files) checkPaths(file);
    checkIndex(files);
    for (const file of files) checkTables(file, pages);
    const reference = files.filter((file) => file.startsWith(REFERENCE));
    const tables = reference.map((file) => pages.get(file).prose).join('\n');
    for (const what of optionComplaints(tables)) complain(REFERENCE, what);
    checkFigures(files, pages);
    for (const file of files) checkDates(file);
    for (const file of files) checkInstalls(file, pages);
    await checkModules(modulesIn(blocks));
    for (const block of blocks) checkOther(block);
  }
  console.log(`${blocks.length} code blocks in ${files.length} files`);
} finally {
  rmSync(folder, { recursive: true });
}
for (const language of skipped) console.log(`SKIPPED: ${language}, for its tool is missing`);
for (const complaint of complaints) console.log(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

/** Checks that every path of this repository that a page names in code font exists. */
function checkPaths(file) {
  for (const [, path] of read(file).matchAll(/`((?:packages|scripts|docs|examples)\/[\w./-]+)`/g)) {
    if (!existsSync(join(root, path))) complain(file, `names ${path}, which is not there`);
  }
}

function complain(place, what) {
  complaints.push(`${place}: ${what}`.trimEnd());
}

function checkLinks(file, pages) {
  for (const link of localLinks(pages.get(file).prose)) {
    const [path, anchor] = decodeURI(link).split('#');
    const target = path === '' ? file : normalize(join(dirname(file), path)).replaceAll('\\', '/');
    if (!existsSync(join(root, target))) complain(file, `leads to ${link}, which is not there`);
    else if (anchor !== undefined && !anchors(pages.get(target)?.prose ?? '').includes(anchor)) {
      complain(file, `leads to ${link}, but there is no such heading`);
    }
  }
}

/** Checks that the README links all pages; those of the reference have an overview. */
function checkIndex(files) {
  const index = read('README.md');
  const isListed = (file) => index.includes(`](${file})`) || file.startsWith(REFERENCE);
  const pages = files.filter((file) => file.startsWith('docs/') && file !== 'docs/index.md');
  for (const file of pages) if (!isListed(file)) complain('README.md', `does not link ${file}`);
}

function checkTables(file, pages) {
  for (const row of repeatedRows(pages.get(file).prose)) complain(file, `repeats the row ${row}`);
}

/** Checks that the page or the first page installs every imported package: pnpm provides no others. */
function checkInstalls(file, pages) {
  const installed = new Set([file, FIRST_PAGE].flatMap((page) => installsOf(pages.get(page))));
  for (const { language, code, line } of pages.get(file).blocks) {
    if (!COMPILED.has(language)) continue;
    for (const [, name] of code.matchAll(/\bfrom '((?:@[\w.-]+\/)?[\w-][\w.-]*)[^':]*'/g)) {
      if (BROUGHT_ALONG.has(name) || installed.has(name)) continue;
      complain(`${file}:${line}`, `imports ${name}, which no line of the page installs`);
    }
  }
}

function installsOf({ blocks }) {
  const shell = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code);
  const lines = shell.join('').match(/^npm (install|i) .*$/gm) ?? [];
  return lines.flatMap((line) => line.split(/\s+/).slice(2));
}

/**
 * Checks that every claimed figure was printed by a command or is a limit in the reference. If it was
 * measured with options, the page must name them next to it.
 */
function checkFigures(files, pages) {
  const known = new Set([
    ...files.flatMap((file) => numbersKeptIn(read(file))),
    ...files.filter((file) => file.startsWith(REFERENCE)).flatMap((file) => numbersOf(read(file))),
  ]);
  const rows = rowsKeptIn(read(COMPARISON));
  const peers = peersIn(rows);
  for (const file of files) {
    for (const claimed of claimsOf(pages.get(file).prose, BOASTS.has(file), peers)) {
      const { claim, number } = claimed;
      const options = unnamedOptions(claimed, rows);
      if (!known.has(number)) complain(file, `claims "${claim}", which no command has printed`);
      else if (options !== undefined) {
        complain(
          file,
          `claims "${claim}", which was measured with ${options}, and does not say so`,
        );
      }
    }
  }
}

/** Checks that a page with figures of a command says when and in which commit they were measured. */
function checkDates(file) {
  const text = read(file);
  const isMeasured = file.startsWith('docs/') && printsFigures(text);
  if (!isMeasured || /\b\d{4}-\d\d-\d\d\b[^|]*?\bcommits?\s[0-9a-f]{7}\b/.test(text)) return;
  complain(file, 'has figures of a command, without date and commit');
}

/** Returns the code to compile as TypeScript: `{ code, words, file, line }`. */
function modulesIn(blocks) {
  const modules = [];
  for (const block of blocks) {
    if (block.language === 'html') modules.push(...scriptsIn(block));
    if (!COMPILED.has(block.language) || block.words.includes('tested')) continue;
    const before = modules.findLast(({ file }) => file === block.file);
    const isContinued = block.words.includes('continued') && before !== undefined;
    const code = (isContinued ? before.code : '') + block.code;
    modules.push({ ...block, code, line: block.line - lines(code) + lines(block.code) });
  }
  return modules;
}

/**
 * Returns the scripts of a page. A script that is not a module may use the global of the script-tag
 * build; a module may import the file.
 */
function scriptsIn(block) {
  const found = [...block.code.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)];
  return found.flatMap(({ 1: attributes, 2: script, index }) => {
    if (attributes.includes('importmap')) {
      checkJson(script, block.place);
      return [];
    }
    const isModule = attributes.includes('module');
    const global = isModule ? '' : "declare const wirebeat: typeof import('@wirebeat/client');";
    return {
      ...block,
      code: global + script.replace("'./wirebeat.js'", "'@wirebeat/client'"),
      line: block.line + lines(block.code.slice(0, index)),
    };
  });
}

function lines(text) {
  return text.split('\n').length - 1;
}

async function checkModules(modules) {
  await checkTypes(modules);
  for (const [index, { words, place }] of modules.entries()) {
    if (words.includes('run')) await runModule(index, place);
  }
}

/** Compiles all modules in one program. */
async function checkTypes(modules) {
  const compilerOptions = {
    noEmit: false,
    outDir: join(folder, 'out'),
    rootDir: folder,
    // As bundlers resolve: some of the libraries of the migration page are not typed for Node's rules.
    module: 'esnext',
    moduleResolution: 'bundler',
    paths: {}, // resolves to the built packages, as for a user
    rewriteRelativeImportExtensions: true,
    noUnusedLocals: false, // an example may create things that it does not use
  };
  const extended = join(root, 'tsconfig.test.json');
  const config = { extends: extended, compilerOptions, include: [`${folder}/*`] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  for (const [index, { code, language }] of modules.entries()) {
    const name = `block${index}.${language === 'tsx' ? 'tsx' : 'ts'}`;
    writeFileSync(join(folder, name), `${code}\nexport {};\n`);
  }
  // A member that Vite adds to modules and no library declares.
  const hot = 'interface ImportMeta { readonly hot?: { dispose(act: () => void): void } }';
  writeFileSync(join(folder, 'hot.d.ts'), hot);
  const { code: exit, output } = await keep('tsc', ['-p', folder, '--pretty', 'false']);
  const errors = [...output.matchAll(/^\S*block(\d+)\.tsx?\((\d+),\d+\): (.*)$/gm)];
  for (const [, index, line, what] of errors) {
    const { file, line: first } = modules[index];
    complain(`${file}:${first + Number(line) - 1}`, what);
  }
  if (exit !== 0 && errors.length === 0) complain('docs', output);
}

async function runModule(index, place) {
  const limit = RUN_LIMIT;
  const { code, output } = await keep('node', [join(folder, 'out', `block${index}.js`)], { limit });
  if (code !== 0) complain(place, `does not run:\n${output}`);
}

function checkOther({ language, code, place }) {
  if (LET_THROUGH.has(language) || COMPILED.has(language) || language === 'html') return;
  if (language === 'json') checkJson(code, place);
  else if (language === 'sh') checkShell(code, place);
  else complain(place, `is in "${language}", which is not checked`);
}

async function checkInLanguage({ language, words, code, place }) {
  const other = LANGUAGES[language];
  if (tools[other.tool] === undefined) return skip(language, place);
  if (words.includes('minimal-peer')) return checkMinimalPeer(other, code, place);
  const { code: exit, output } = await keep(...other.parse(folder, code), { limit: RUN_LIMIT });
  if (exit !== 0) complain(place, output);
}

/** Skips a language, except in CI, where every block must be checked. */
function skip(language, place) {
  skipped.add(language);
  if (process.env.CI === 'true') complain(place, `there is no ${LANGUAGES[language].tool}`);
}

function checkJson(code, place) {
  try {
    JSON.parse(code);
  } catch (error) {
    complain(place, error.message);
  }
}

/** Checks that npm scripts and files that are run exist. */
function checkShell(code, place) {
  for (const [, run, name] of code.matchAll(/^\s*(?:\$ )?npm (run )?([\w:-]+)/gm)) {
    const isOurs = name in scripts;
    const isNpms = run === undefined && ['install', 'i', 'init', 'pack'].includes(name);
    if (!isOurs && !isNpms) complain(place, `there is no script ${name}`);
  }
  for (const [, path] of code.matchAll(/^\s*(?:\$ )?node ([\w./-]+)/gm)) {
    if (!existsSync(join(root, path))) complain(place, `there is no ${path}`);
  }
}

/** Gives a minimal peer every text of the vectors and compares its answers with the expected ones. */
async function checkMinimalPeer({ peer }, code, place) {
  const asked = [...vectors.beats, ...vectors.messages].map(({ text }) => text);
  const texts = join(folder, 'texts.json');
  writeFileSync(texts, JSON.stringify(asked));
  const { code: exit, output } = await keep(...peer(folder, code, texts), { limit: BUILD_LIMIT });
  if (exit !== 0) return complain(place, output);
  const answers = JSON.parse(output);
  const expected = asked.map((text) =>
    text.startsWith('\u0005wb') ? `\u0006${text.slice(1)}` : null,
  );
  const wrong = asked.findIndex((_, index) => answers[index] !== expected[index]);
  if (wrong === -1) return;
  const [text, said, wanted] = [asked, answers, expected].map((list) =>
    JSON.stringify(list[wrong]),
  );
  complain(place, `answers ${text} with ${said}, not ${wanted}`);
}
