import { findProgram, requireProgram } from '../programs/find-program.ts';

/** The engines that are driven here, one a file beside this one. */
export const BROWSER_NAMES = ['chromium', 'firefox', 'webkit'] as const;

export type BrowserName = (typeof BROWSER_NAMES)[number];

/** A real browser with one page, which is visible. */
export interface Browser {
  /** Leads the page to an address. Resolves when that is loaded. */
  open(url: string): Promise<void>;
  /** Runs an expression in the page and waits for its value, which must survive JSON. */
  evaluate<T>(expression: string): Promise<T>;
  /**
   * Makes the page believe that the network is gone, or back. No socket is closed by it: see
   * `TcpProxy` for that.
   */
  goOffline(isOffline: boolean): Promise<void>;
  /** Ends all its processes and removes its profile. */
  close(): Promise<void>;
}

/** Says where each is found; set by `scripts/test.mjs`. */
const VARIABLES: Readonly<Record<BrowserName, string>> = {
  chromium: 'CHROMIUM_PATH',
  firefox: 'FIREFOX_PATH',
  webkit: 'WEBKIT_DRIVER_PATH',
};

/** The program of a browser; undefined on a machine without. */
export function findBrowser(name: BrowserName): string | undefined {
  return findProgram(VARIABLES[name]);
}

/** Starts a browser with an empty profile of its own. */
export async function launchBrowser(name: BrowserName): Promise<Browser> {
  const path = requireProgram(VARIABLES[name]);
  // The driver of one must not be loaded for another.
  switch (name) {
    case 'chromium':
      return (await import('./chromium.ts')).launchChromium(path);
    case 'firefox':
      return (await import('./firefox.ts')).launchFirefox(path);
    case 'webkit':
      return (await import('./webkit.ts')).launchWebKit(path);
  }
}
