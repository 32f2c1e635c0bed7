// Builds the documentation site from docs/ into build/site, and serves it.
//
// The pages are copied, because the site has some that are not in docs/: the changelog, and the API
// reference that TypeDoc writes from the docstrings. Links to files that are not pages lead to the
// repository. `--build` only builds, which fails if a link is dead.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { register } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { filesBelow } from './files.mjs';
import { must, root, show } from './run.mjs';

const REPOSITORY = 'https://github.com/wirebeat/wirebeat/blob/main/';
const pages = join(root, 'build/pages');
/** Pages outside of docs/, and their names on the site. */
const OTHERS = {
  'docs/README.md': 'pages.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
};
/**
 * Search finds the pages that people wrote, which cover the same. With these, its index would be twice
 * as large.
 */
const UNSEARCHED = '---\nsearch: false\n---\n\n';
/** The packages that have a reference: of all that they export. */
const PACKAGES = ['client', 'server', 'core'];

const isBuilt = existsSync(join(root, 'packages/server/dist/index.d.ts'));
if (!isBuilt) await must('node', ['scripts/build.mjs']);

rmSync(pages, { recursive: true, force: true });
rmSync(join(root, 'build/reference'), { recursive: true, force: true });
mkdirSync(pages, { recursive: true });
cpSync(join(root, 'docs'), pages, { recursive: true });
cpSync(join(root, 'scripts/site/theme'), join(pages, '.vitepress/theme'), { recursive: true });
const config = JSON.stringify(join(root, 'scripts/site/config.mjs'));
writeFileSync(join(pages, '.vitepress/config.mjs'), `export { default } from ${config};\n`);
cpSync(join(root, 'docs/diagrams'), join(pages, 'public/diagrams'), { recursive: true });
rmSync(join(pages, 'README.md'));
await writeReference();
const reference = readdirSync(join(root, 'build/reference'), { recursive: true })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `build/reference/${name.replaceAll('\\', '/')}`);
const places = new Map([
  ...filesBelow('docs', '.md').map((file) => [file, file.slice('docs/'.length)]),
  ...Object.entries(OTHERS),
  ...reference.map((file) => [file, placeOf(file)]),
]);
for (const [file, place] of places) {
  mkdirSync(dirname(join(pages, place)), { recursive: true });
  const text = movedLinks(read(file), file, place);
  const isReference = place.startsWith('api/');
  writeFileSync(join(pages, place), isReference ? UNSEARCHED + withImportNames(text) : text);
}
checkIndex();
const isBuildOnly = process.argv.includes('--build');
process.exitCode = await show('vitepress', ['build', pages]);
if (process.exitCode === 0 && !isBuildOnly) await show('vitepress', ['preview', pages]);

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

/** Returns the name on the site of a page that TypeDoc wrote, such as `client/dist/react/index.md`. */
function placeOf(file) {
  return `api/${file.slice('build/reference/'.length).replace('/dist', '')}`;
}

/** Returns a page of the reference in which entry points have the names that an import has. */
function withImportNames(text) {
  return text
    .replace(/^# (client|server|core)\/dist/gm, '# @wirebeat/$1')
    .replace(/\[(client|server|core)\/dist/g, '[@wirebeat/$1');
}

/** Checks that the index of all pages, which is also the navigation of the site, misses none. */
function checkIndex() {
  const index = read('docs/README.md');
  const missing = [...places].filter(
    ([file, place]) =>
      file.startsWith('docs/') &&
      !place.match(/^(index|pages)\.md$/) &&
      !index.includes(`](${place})`),
  );
  for (const [file] of missing) console.log(`docs/README.md does not list ${file}`);
  if (missing.length > 0) process.exit(1);
}

/** Returns the text of a page whose links lead to where their targets are on the site. */
function movedLinks(text, file, place) {
  const parts = text.split(/(^```[\s\S]*?^```)/m);
  const moved = parts.map((part) =>
    part.startsWith('```') ? part : part.replace(/(\]\()([^)\s]+)/g, move),
  );
  return moved.join('');

  function move(whole, before, link) {
    const [path, anchor] = link.split('#');
    if (/^[a-z]+:/.test(link) || path === '') return whole;
    const target = posix.normalize(posix.join(dirname(file), path));
    const isPicture = target.startsWith('docs/') && !target.endsWith('.md');
    const found = places.get(target) ?? (isPicture ? target.slice('docs/'.length) : undefined);
    const from = dirname(place);
    const to = found === undefined ? REPOSITORY + target : `./${posix.relative(from, found)}`;
    return `${before}${to}${anchor === undefined ? '' : `#${anchor}`}`;
  }
}

/**
 * Writes one page for each export of each package, from the docstrings of its types. What a class has
 * from its runtime, such as all that is in HTMLElement, is left out.
 */
async function writeReference() {
  register('./typescript6.mjs', import.meta.url);
  const { Application } = await import('typedoc');
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: PACKAGES.flatMap(typesOf),
    tsconfig: `${root}scripts/tsconfig.docs.json`,
    out: join(root, 'build/reference'),
    name: 'API from the code',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    readme: 'none',
    entryFileName: 'index.md',
    router: 'member',
    excludeExternals: true,
    disableSources: true,
    githubPages: false,
    logLevel: 'Warn',
  });
  const project = await app.convert();
  await app.generateOutputs(project);
}

/** Returns the paths of the types of all entry points of a package. */
function typesOf(name) {
  const { exports } = JSON.parse(read(`packages/${name}/package.json`));
  const types = Object.values(exports).map((entry) => entry.types);
  return types
    .filter((path) => path !== undefined)
    .map((path) => join(root, 'packages', name, path));
}
