// What a page pays for an import: everything that belongs to it, minified and compressed by Brotli.
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';

/** In bytes. The module has the text `source`, as if it stood beside the one with the URL `beside`. */
export async function bundleSize(source, beside) {
  const code = Buffer.from(await bundle(source, beside));
  return { minified: code.length, brotli: brotliCompressSync(code).length };
}

/**
 * Bundles such a module, minified. Resolves to its text. The conditions are those by which packages
 * choose what they give.
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
    onwarn: () => {}, // the imports of others may be circular, which is theirs
  });
  const { output } = await bundled.generate({ format, inlineDynamicImports: true });
  await bundled.close();
  return output[0].code;
}
