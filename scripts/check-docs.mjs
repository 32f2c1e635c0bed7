// What the docs say is true: every code block is compiled or run, every link leads somewhere.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { filesBelow } from './files.mjs';
import { LANGUAGES } from './languages.mjs';
import { anchors, codeBlocks, localLinks } from './markdown.mjs';
import { keep, root } from './run.mjs';
import { findTools } from './tools.mjs';

const RUN_LIMIT = 20_000; // ms that an example may take
const LET_THROUGH = new Set(['', 'text', 'abnf']);
const TYPED = new Set(['ts', 'js']);

const tools = findTools();
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const vectors = JSON.parse(readFileSync(`${root}packages/core/vectors.json`, 'utf8'));
// Below the root, so that the packages of the workspace are found from it.
mkdirSync(`${root}build`, { recursive: true });
const folder = mkdtempSync(join(root, 'build/docs-'));
const complaints = [];
let checked = 0;

try {
  const files = filesBelow('', '.md');
  const blocks = files.flatMap((file) =>
    codeBlocks(read(file)).map((block) => ({ ...block, place: `${file}:${block.line}` })),
  );
  for (const file of files) checkLinks(file);
  await checkTypes(blocks.filter(({ language }) => TYPED.has(language)));
  for (const block of blocks.filter(({ language }) => !TYPED.has(language)))
    await checkOther(block);
  checked = blocks.length;
} finally {
  rmSync(folder, { recursive: true });
}
for (const complaint of complaints) console.log(complaint);
console.log(`${checked} code blocks`);
process.exitCode = complaints.length > 0 ? 1 : 0;

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

function complain(place, what) {
  complaints.push(`${place}: ${what}`.trimEnd());
}

function checkLinks(file) {
  for (const link of localLinks(read(file))) {
    const [path, anchor] = link.split('#');
    const target = path === '' ? file : normalize(join(dirname(file), path));
    if (!existsSync(join(root, target))) complain(file, `leads to ${link}, which is not there`);
    else if (anchor !== undefined && !anchors(read(target)).includes(anchor)) {
      complain(file, `leads to ${link}, but there is no such heading`);
    }
  }
}

/** Compiles all blocks at once, each a module, and runs those that say `run`. */
async function checkTypes(blocks) {
  const extendsBase = join(root, 'tsconfig.test.json');
  const compilerOptions = {
    noEmit: false,
    outDir: join(folder, 'out'),
    rootDir: folder,
    paths: {},
  };
  compilerOptions.rewriteRelativeImportExtensions = true;
  compilerOptions.noUnusedLocals = false; // an example shows how a thing is made
  const config = { extends: extendsBase, compilerOptions, include: [`${folder}/*.ts`] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  for (const [index, { code }] of blocks.entries()) {
    writeFileSync(join(folder, `block${index}.ts`), `${code}\nexport {};\n`);
  }
  const { output } = await keep('tsc', ['-p', folder]);
  for (const line of output.split('\n').filter((each) => /error TS/.test(each))) {
    const index = /block(\d+)\.ts/.exec(line)?.[1];
    complain(blocks[index]?.place ?? 'docs', line);
  }
  for (const [index, { words, place }] of blocks.entries()) {
    if (words.includes('run')) await runBlock(join(folder, 'out', `block${index}.js`), place);
  }
}

async function runBlock(file, place) {
  const { code, output } = await keep('node', ['--import', timeLimit(), file]);
  if (code !== 0) complain(place, `does not run:\n${output}`);
}

/** A module that ends its process, with a complaint, if it takes too long. */
function timeLimit() {
  const end = `setTimeout(() => { console.error('takes too long'); process.exit(1); }, ${RUN_LIMIT})`;
  return `data:text/javascript,${encodeURIComponent(`${end}.unref();`)}`;
}

async function checkOther({ language, words, code, place }) {
  if (LET_THROUGH.has(language)) return;
  if (language === 'json') return checkJson(code, place);
  if (language === 'sh') return checkShell(code, place);
  if (language === 'html') return checkHtml(code, place);
  const other = LANGUAGES[language];
  if (other === undefined)
    return complain(place, `has a block in ${language}, which is not checked`);
  if (tools[other.tool] === undefined) return; // test.mjs says so, loudly
  if (words.includes('minimal-peer')) return checkMinimalPeer(other, code, place);
  const file = join(folder, `block.${language}`);
  writeFileSync(file, code);
  const { code: exit, output } = await keep(...other.parse(file));
  if (exit !== 0) complain(place, output);
}

function checkJson(code, place) {
  try {
    JSON.parse(code);
  } catch (error) {
    complain(place, error.message);
  }
}

/** An npm script must be there, and so must a file that is run. */
function checkShell(code, place) {
  for (const [, name] of code.matchAll(/^\s*(?:\$ )?npm (?:run )?([\w-]+)/gm)) {
    const isOurs = name in scripts || ['install', 'i', 'test', 'run', 'pack'].includes(name);
    if (!isOurs) complain(place, `there is no script ${name}`);
  }
  for (const [, path] of code.matchAll(/^\s*(?:\$ )?node ([\w./-]+)/gm)) {
    if (!existsSync(join(root, path))) complain(place, `there is no ${path}`);
  }
}

/** A script of a page is parsed. */
async function checkHtml(code, place) {
  for (const [, script] of code.matchAll(/<script(?: type="module")?>([\s\S]*?)<\/script>/g)) {
    const file = join(folder, 'page.mjs');
    writeFileSync(file, script);
    const { code: exit, output } = await keep('node', ['--check', file]);
    if (exit !== 0) complain(place, output);
  }
}

/** Gives a minimal peer every text of the vectors, and compares with what such a peer must say. */
async function checkMinimalPeer({ program, run }, code, place) {
  const asked = [...vectors.beats, ...vectors.messages].map(({ text }) => text);
  const file = program(folder, code);
  writeFileSync(join(folder, 'texts.json'), JSON.stringify(asked));
  const { code: exit, output } = await keep(...run(file, join(folder, 'texts.json')));
  if (exit !== 0) return complain(place, output);
  const answers = JSON.parse(output);
  for (const [index, text] of asked.entries()) {
    const expected = text.startsWith('\u0005wb') ? `\u0006${text.slice(1)}` : null;
    if (answers[index] !== expected) {
      const said = `${JSON.stringify(answers[index])}, not ${JSON.stringify(expected)}`;
      complain(place, `answers ${JSON.stringify(text)} with ${said}`);
    }
  }
}
