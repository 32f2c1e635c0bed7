// A coverage provider on top of V8's: each test file only covers the source file that it is named
// after.
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import v8 from '@vitest/coverage-v8';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Returns the source file of a test file: `packages/core/src/sub/heartbeat.ts` for
 * `packages/core/test/sub/heartbeat.table.test.ts`.
 */
export function mirrored(testFile) {
  return testFile.replace('/test/', '/src/').replace(/\.[^/]*$/, '.ts');
}

export default {
  ...v8,
  async getProvider() {
    const provider = await v8.getProvider();
    const take = provider.onAfterSuiteRun.bind(provider);
    provider.onAfterSuiteRun = ({ coverage, testFiles, ...rest }) => {
      const paths = testFiles.map((file) => relative(root, file).replaceAll('\\', '/'));
      const own = paths.map((path) => pathToFileURL(join(root, mirrored(path))).href);
      const result = coverage.result.filter(({ url }) => own.includes(url));
      take({ coverage: { result }, testFiles, ...rest });
    };
    return provider;
  },
};
