// Packs each package as for publishing, checks it with publint and attw, and checks its README as npm
// shows it.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localLinks, readMarkdown } from './markdown.mjs';
import { manifest, PACKAGES, pack, tarballOf } from './pack.mjs';
import { keep, root } from './run.mjs';

const REPOSITORY = 'https://github.com/wirebeat/wirebeat';
const FILES = `${REPOSITORY}/blob/main/`;
const SHOWN = ['description', 'author', 'license', 'keywords', 'homepage', 'bugs', 'engines'];

const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
let failed = false;

try {
  const { code, output } = await pack(folder);
  if (code !== 0) complain(output);
  await Promise.all(PACKAGES.map(checkPackage));
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed ? 1 : 0;

async function checkPackage(path) {
  const { name, types } = manifest(`packages/${path}`);
  const tarball = tarballOf(folder, path);
  if (!existsSync(tarball)) return complain(`${name} was not packed`);
  checkManifest(path, name, await mustPass('tar', ['-xOzf', tarball, 'package/package.json']));
  checkReadme(name, await mustPass('tar', ['-xOzf', tarball, 'package/README.md']));
  await mustPass('publint', [tarball, '--strict']);
  if (types === undefined) return; // the package is a program
  await mustPass('attw', [tarball, '--profile', 'esm-only', '--no-color']);
}

function checkManifest(path, name, text) {
  if (/"(workspace|catalog|link|file):/.test(text)) complain(`${name} asks for what is only here`);
  const packed = JSON.parse(text);
  for (const field of SHOWN) {
    if ((packed[field]?.length ?? 1) === 0 || packed[field] === undefined) {
      complain(`${name} has no ${field}`);
    }
  }
  const { repository, publishConfig } = packed;
  if (repository?.url !== `git+${REPOSITORY}.git` || repository.directory !== `packages/${path}`) {
    complain(`${name} has another repository`);
  }
  if (publishConfig?.access !== 'public' || publishConfig.provenance !== true) {
    complain(`${name} would be published without access or provenance`);
  }
}

/** Checks that a README stands alone: npm shows it without the files next to it. */
function checkReadme(name, text) {
  const { blocks, prose } = readMarkdown(text);
  const shell = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code);
  const installs = shell
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('npm install'));
  if (!installs.some((line) => line.split(' ').includes(name)))
    complain(`${name}: no install line`);
  for (const link of localLinks(prose)) complain(`${name}: ${link} leads nowhere on npm`);
  for (const [link] of prose.matchAll(/https:\/\/github\.com\/[^)\s]+/g)) {
    const [file] = link.replace(FILES, '').split('#');
    if (!link.startsWith(FILES) || !existsSync(join(root, file))) {
      complain(`${name}: ${link} leads nowhere`);
    }
  }
}

/** Runs a program that must succeed. Resolves to its output. */
async function mustPass(command, args) {
  const { code, output } = await keep(command, args);
  if (code !== 0) complain(`${command} ${args.join(' ')}\n${output}`);
  return output;
}

function complain(what) {
  failed = true;
  console.log(what);
}
