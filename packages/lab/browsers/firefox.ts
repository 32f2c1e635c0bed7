import type { Browser } from './browser.ts';
import { PuppeteerBrowser } from './puppeteer-browser.ts';

export function launchFirefox(executablePath: string): Promise<Browser> {
  return PuppeteerBrowser.launch({ browser: 'firefox', executablePath }, (page, isOffline) =>
    page.setOfflineMode(isOffline),
  );
}
