import type { Page } from 'puppeteer-core';
import type { Browser } from './browser.ts';
import { PuppeteerBrowser } from './puppeteer-browser.ts';

/** The sandbox does not work for root; the other flags stop background traffic. */
export const CHROMIUM_ARGUMENTS: readonly string[] = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

export function launchChromium(executablePath: string): Promise<Browser> {
  return PuppeteerBrowser.launch({ executablePath, args: [...CHROMIUM_ARGUMENTS] }, goOffline);
}

/**
 * Puppeteer's own `setOfflineMode` also blocks the data of open sockets, which is a cut and not a hint.
 */
async function goOffline(page: Page, offline: boolean): Promise<void> {
  const session = await page.createCDPSession();
  const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  await session.send('Network.overrideNetworkState', conditions);
}
