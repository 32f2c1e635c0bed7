import puppeteer, {
  type LaunchOptions,
  type Page,
  type Browser as PuppeteerHandle,
} from 'puppeteer-core';
import type { Browser } from './browser.ts';
import { Profile } from './profile.ts';

/** How a browser makes its page believe that it is offline. */
type GoOffline = (page: Page, isOffline: boolean) => Promise<void>;

/** A browser driven by puppeteer: Chromium with its own protocol, Firefox with WebDriver BiDi. */
export class PuppeteerBrowser implements Browser {
  readonly #browser: PuppeteerHandle;
  readonly #page: Page;
  readonly #profile: Profile;
  readonly #goOffline: GoOffline;

  static async launch(options: LaunchOptions, goOffline: GoOffline): Promise<Browser> {
    const profile = new Profile();
    try {
      const env = profile.environment;
      const browser = await puppeteer.launch({ ...options, headless: true, env });
      return new PuppeteerBrowser(browser, await browser.newPage(), profile, goOffline);
    } catch (error) {
      profile.remove();
      throw error;
    }
  }

  private constructor(
    browser: PuppeteerHandle,
    page: Page,
    profile: Profile,
    goOffline: GoOffline,
  ) {
    this.#browser = browser;
    this.#page = page;
    this.#profile = profile;
    this.#goOffline = goOffline;
  }

  async open(url: string): Promise<void> {
    await this.#page.goto(url, { waitUntil: 'load' });
  }

  async evaluate<T>(expression: string): Promise<T> {
    return (await this.#page.evaluate(expression)) as T;
  }

  async goOffline(isOffline: boolean): Promise<void> {
    await this.#goOffline(this.#page, isOffline);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#profile.remove();
  }
}
