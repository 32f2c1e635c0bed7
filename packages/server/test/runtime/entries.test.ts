import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const SOURCE = new URL('../../src/', import.meta.url);
const IMPORT =
  /^(?:import|export)\s(?!type\b)[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm;

/** The files and packages that an entry loads. */
function loadedBy(entry: string, loaded: Set<string> = new Set()): Set<string> {
  if (loaded.has(entry)) return loaded;
  loaded.add(entry);
  const file = new URL(entry, SOURCE);
  if (!existsSync(file)) return loaded;
  for (const [, from, alone] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    const name = from ?? alone ?? '';
    const path = name.startsWith('.') ? new URL(name, file).href.slice(SOURCE.href.length) : name;
    loadedBy(path, loaded);
  }
  return loaded;
}

describe('what Bun, Deno and Workers load', () => {
  it.each(
    [
      'runtime/index',
      'adapters/bun',
      'adapters/deno',
      'adapters/crossws',
      'adapters/cloudflare',
    ].map((name) => `${name}.ts`),
  )('imports no module of Node: %s', (entry) => {
    const loaded = [...loadedBy(entry)];
    expect(loaded.length).toBeGreaterThan(10);
    const packages = loaded.filter((name) => !name.endsWith('.ts'));
    expect(packages.sort()).toEqual(['@wirebeat/core', 'eventemitter3']);
  });

  it('uses no global of Node, outside of checks for it', () => {
    for (const name of loadedBy('runtime/index.ts')) {
      if (!name.endsWith('.ts')) continue;
      const code = readFileSync(new URL(name, SOURCE), 'utf8').replace(
        /\/\*[\s\S]*?\*\/|\/\/.*/g,
        '',
      );
      expect(code, name).not.toMatch(/(?<!globalThis\.)\bBuffer\b|\bBuffer(?!\?\.|\w)/);
      expect(code, name).not.toMatch(/(?<!globalThis\.)\bprocess\.(?!emitWarning)/);
    }
  });
});
