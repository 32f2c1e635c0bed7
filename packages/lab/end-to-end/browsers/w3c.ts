import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import ts from '@typescript/typescript6';
import { type Plugin, rollup } from 'rollup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RULES, type Rule, type Subject } from '../../../client/test/w3c-rules.ts';
import { listenForW3c, type W3cServer } from '../../../client/test/w3c-server.ts';
import {
  type Browser,
  type BrowserName,
  findBrowser,
  launchBrowser,
} from '../../browsers/browser.ts';
import { serveScriptPage } from './script-page.ts';

const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const fromVitest = createRequire(createRequire(import.meta.url).resolve('vitest'));
/** What stands for what in a page. */
const STAND_INS = new Map([
  ['vitest', at('expect.js')],
  ['@vitest/expect', fromVitest.resolve('@vitest/expect')],
]);

const standIns: Plugin = {
  name: 'stand-ins',
  resolveId: (id) => STAND_INS.get(id) ?? null,
};
const withoutTypes: Plugin = {
  name: 'without-types',
  transform(code, id) {
    if (!id.endsWith('.ts')) return null;
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    return ts.transpileModule(code, { compilerOptions }).outputText;
  },
};

/** The script of the page that proves the rules. */
async function bundle(): Promise<string> {
  const plugins = [standIns, withoutTypes, nodeResolve({ browser: true })];
  const bundle = await rollup({ input: at('w3c-page.ts'), plugins });
  const { output } = await bundle.generate({ format: 'iife' });
  await bundle.close();
  return output[0].code;
}

/** Though web-platform-tests ask the first, and the standard's close() says the other. */
export const NO_BROWSER_KEEPS: readonly string[] = [
  'refuses the protocols ["a","b","A"]',
  'closes with 1000 where there is only a reason',
];

/** The rules that each is known to break: each must be broken, or it is to be struck off. */
export interface Breaks {
  readonly native: readonly string[];
  readonly ours: readonly string[];
}

/**
 * What the standard asks of a WebSocket, in a real browser: of ours over the browser's, and of the
 * browser's alone, which is the check of what is asked.
 */
export function w3c(name: BrowserName, runtime: string, breaks: Breaks): void {
  const isMissing = findBrowser(name) === undefined && process.env['CI'] !== 'true';
  describe.skipIf(isMissing)(`the surface of a WebSocket in ${runtime}`, () => {
    let browser: Browser;
    let pages: Server;
    let server: W3cServer;

    beforeAll(async () => {
      [browser, pages, server] = await Promise.all([
        launchBrowser(name),
        bundle().then((script) => serveScriptPage({ '/page.js': script })),
        listenForW3c(),
      ]);
      await browser.open(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
    });

    afterAll(async () => {
      await browser?.close();
      pages?.close();
      await server?.close();
    });

    const against = (subject: string, part: string, title: string): Promise<string | null> =>
      browser.evaluate(
        `prove(${JSON.stringify([subject, server.address, part, title]).slice(1, -1)})`,
      );

    it('breaks no rule that there is not', () => {
      const titles: string[] = [];
      for (const tell of Object.values(RULES)) tell((title) => titles.push(title), {} as Subject);
      expect(titles).toEqual(expect.arrayContaining([...breaks.native, ...breaks.ours]));
    });

    describe.each(['native', 'ours'] as const)('is kept by one that is %s:', (subject) => {
      for (const [part, tell] of Object.entries(RULES)) {
        const rule: Rule = (title) => {
          const isBroken = breaks[subject].includes(title);
          it(`${part} ${title}${isBroken ? ': not here' : ''}`, async () => {
            const objection = await against(subject, part, title);
            if (isBroken) expect(objection).not.toBeNull();
            else expect(objection).toBeNull();
          });
        };
        tell(rule, {} as Subject); // none of them is proved here
      }
    });
  });
}
