import { vi } from 'vitest';

/** Imports a module as bundles for pages in production contain it. */
export async function inPage<Module>(load: () => Promise<Module>): Promise<Module> {
  vi.resetModules();
  vi.doMock('../src/development.ts', () => ({ IS_DEVELOPMENT: false, IS_PAGE: true }));
  try {
    return await load();
  } finally {
    vi.doUnmock('../src/development.ts');
    vi.resetModules(); // other tests share the modules
  }
}
