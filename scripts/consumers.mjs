// Installs the packed packages into a copy of each project of packages/lab/consumers and runs its
// tests. If you pass names, only those. Other dependencies come from the registry.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMarkdown } from './markdown.mjs';
import { manifest, PACKAGES, pack, pnpm, tarballOf } from './pack.mjs';
import { must, root } from './run.mjs';
import { step } from './step.mjs';
import { findTools } from './tools.mjs';

/** Long projects first, because two run at a time. */
const ALL = [
  'types',
  'next',
  'webpack',
  'npm',
  'vite',
  'vitest',
  'esbuild',
  'jest',
  'rollup',
  'import-map',
];
const LIMIT = 600_000;
/** Install scripts of packages are not needed. */
const SETTINGS = 'ignoreScripts: true\nstrictDepBuilds: false\n';

const folder = mkdtempSync(join(tmpdir(), 'wirebeat-consumers-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const wanted = process.argv.slice(2);
const names = ALL.filter((name) => wanted.length === 0 || wanted.includes(name));

await must('node', ['scripts/build.mjs']);
let failed = 0;
const count = async (name, act) => {
  if (!(await step(name, act))) failed += 1;
};
await count('pack', () => pack(folder));
layOut();
await count('install', () => pnpm(['install', '--prefer-offline'], { cwd: folder, limit: LIMIT }));
const queue = [...names];
const inTurn = async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const at = name;
    await count(at, () => test(at));
  }
};
if (failed === 0) await Promise.all([inTurn(), inTurn()]);
console.log(`${names.length} consumers, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** Copies the projects into a workspace in which each has only the dependencies that it lists. */
function layOut() {
  cpSync(join(root, 'packages/lab/consumers'), folder, { recursive: true });
  const lines = PACKAGES.map((name) => {
    return `  '${manifest(`packages/${name}`).name}': 'file:${tarballOf(folder, name)}'`;
  });
  const kept = [...names, 'see-pong'].map((name) => `  - ${name}`).join('\n');
  const settings = `packages:\n${kept}\noverrides:\n${lines.join('\n')}\n${SETTINGS}`;
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), settings);
  // Runs the tests in the docs exactly as shown.
  const page = readMarkdown(readFileSync(join(root, 'docs/how-to/test-your-app.md'), 'utf8'));
  const tests = page.blocks.filter(({ code }) => code.includes("from 'vitest'"));
  for (const [index, { code }] of tests.entries()) {
    writeFileSync(join(folder, `vitest/documented-${index}.test.ts`), code);
  }
}

function test(name) {
  const env = {
    CHROMIUM_PATH: findTools().chromium,
    TARBALLS: PACKAGES.map((name) => tarballOf(folder, name)).join(' '),
  };
  return pnpm(['test'], { cwd: join(folder, name), env, limit: LIMIT });
}
