// Measures the size of an import in a page: all its code, minified and compressed with Brotli.
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';

/**
 * Resolves to the size in bytes of a module with the text `source`, resolved as if it stood next to the
 * URL `beside`.
 */
export async function bundleSize(source, beside) {
  const code = Buffer.from(await bundle(source, beside));
  return { minified: code.length, brotli: brotliCompressSync(code).length };
}

/**
 * Bundles such a module, minified. Resolves to its text. `conditions` are the export conditions of
 * packages.
 */
export async function bundle(source, beside, { format = 'es', conditions = [] } = {}) {
  const entry = fileURLToPath(new URL('page-entry.mjs', beside));
  const page = {
    name: 'page',
    resolveId: (id) => (id === entry ? id : null),
    load: (id) => (id === entry ? source : null),
  };
  const resolver = resolve({ browser: true, exportConditions: conditions });
  const bundled = await rollup({
    input: entry,
    plugins: [page, resolver, commonjs(), terser({ module: true })],
    onwarn: () => {}, // packages of others may have circular imports
  });
  const { output } = await bundled.generate({ format, inlineDynamicImports: true });
  await bundled.close();
  return output[0].code;
}
