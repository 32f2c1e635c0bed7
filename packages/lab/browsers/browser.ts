import { findProgram, requireProgram } from '../programs/find-program.ts';

/** The supported engines, one per file in this folder. */
export const BROWSER_NAMES = ['chromium', 'firefox', 'webkit'] as const;

export type BrowserName = (typeof BROWSER_NAMES)[number];

/** A real browser with one visible page. */
export interface Browser {
  /** Navigates the page to a URL. Resolves when it has loaded. */
  open(url: string): Promise<void>;
  /** Runs an expression in the page and waits for its value, which must survive JSON. */
  evaluate<T>(expression: string): Promise<T>;
  /**
   * Makes the page believe that the network is down, or back. It closes no sockets: use `TcpProxy` for
   * that.
   */
  goOffline(isOffline: boolean): Promise<void>;
  /** Ends all its processes and removes its profile. */
  close(): Promise<void>;
}

/** Environment variables with the path of each browser; `scripts/test.mjs` sets them. */
const VARIABLES: Readonly<Record<BrowserName, string>> = {
  chromium: 'CHROMIUM_PATH',
  firefox: 'FIREFOX_PATH',
  webkit: 'WEBKIT_DRIVER_PATH',
};

/** Returns the path of a browser, or `undefined` if it is missing. */
export function findBrowser(name: BrowserName): string | undefined {
  return findProgram(VARIABLES[name]);
}

/** Starts a browser with a new, empty profile. */
export async function launchBrowser(name: BrowserName): Promise<Browser> {
  const path = requireProgram(VARIABLES[name]);
  // Loads only the driver that is needed.
  switch (name) {
    case 'chromium':
      return (await import('./chromium.ts')).launchChromium(path);
    case 'firefox':
      return (await import('./firefox.ts')).launchFirefox(path);
    case 'webkit':
      return (await import('./webkit.ts')).launchWebKit(path);
  }
}
