import type { Page } from 'puppeteer-core';
import type { Browser } from './browser.ts';
import { PuppeteerBrowser } from './puppeteer-browser.ts';

/** Root may have no sandbox; the rest keeps it from talking to anybody by itself. */
export const CHROMIUM_ARGUMENTS: readonly string[] = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

export function launchChromium(executablePath: string): Promise<Browser> {
  return PuppeteerBrowser.launch({ executablePath, args: [...CHROMIUM_ARGUMENTS] }, goOffline);
}

/** What puppeteer's own `setOfflineMode` uses holds back what open sockets carry: a cut, no hint. */
async function goOffline(page: Page, offline: boolean): Promise<void> {
  const session = await page.createCDPSession();
  const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  await session.send('Network.overrideNetworkState', conditions);
}
