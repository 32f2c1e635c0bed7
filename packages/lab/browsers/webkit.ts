import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../programs/free-port.ts';
import type { Browser } from './browser.ts';
import { Display } from './display.ts';
import { Profile } from './profile.ts';

const READY_LIMIT = 10_000; // ms, for the driver to listen
const COMMAND_LIMIT = 30_000; // ms; without a display, a session would wait forever
const POLL = 25; // ms between two checks for a value

/** Runs an expression and stores its result under a number. */
const START = `
const [id, expression] = arguments;
const kept = (globalThis.evaluated ??= {});
Promise.resolve().then(() => (0, eval)(expression)).then(
  (value) => (kept[id] = { value }),
  (error) => (kept[id] = { error: String(error?.stack ?? error) }),
);`;

/** Returns a stored result, once. */
const TAKE = `
const [id] = arguments;
const found = globalThis.evaluated?.[id] ?? null;
if (found) delete globalThis.evaluated[id];
return found;`;

/** WebKitGTK's MiniBrowser, driven by WebDriver over HTTP on a virtual display. */
export class WebKitBrowser implements Browser {
  readonly #driver: ChildProcess;
  readonly #display: Display;
  readonly #profile: Profile;
  readonly #base: string;
  #session = '';
  #evaluations = 0;
  /** The last command: WebDriver commands run one after another. */
  #last: Promise<unknown> = Promise.resolve();

  static async launch(driverPath: string): Promise<Browser> {
    const display = await Display.open();
    const profile = new Profile({ DISPLAY: display.name });
    const port = await freePort();
    // A separate process group, which includes the browser's processes.
    const driver = spawn(driverPath, [`--port=${port}`], {
      stdio: 'ignore',
      detached: true,
      env: profile.environment,
    });
    const browser = new WebKitBrowser(driver, display, profile, `http://127.0.0.1:${port}`);
    try {
      await browser.#begin();
      return browser;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  private constructor(driver: ChildProcess, display: Display, profile: Profile, base: string) {
    this.#driver = driver;
    this.#display = display;
    this.#profile = profile;
    this.#base = base;
    process.once('exit', this.#kill);
  }

  async open(url: string): Promise<void> {
    await this.#command('POST', '/url', { url });
  }

  /** Runs in two steps, so that a slow expression does not block other commands. */
  async evaluate<T>(expression: string): Promise<T> {
    this.#evaluations += 1;
    const id = this.#evaluations;
    await this.#execute(START, [id, expression]);
    for (;;) {
      const found = await this.#execute<{ value: T; error?: string } | null>(TAKE, [id]);
      if (found?.error !== undefined) throw new Error(found.error);
      if (found !== null) return found.value;
      await sleep(POLL);
    }
  }

  /** Only dispatches the event, because WebDriver has no command for it. */
  async goOffline(isOffline: boolean): Promise<void> {
    await this.evaluate(`void dispatchEvent(new Event('${isOffline ? 'offline' : 'online'}'))`);
  }

  async close(): Promise<void> {
    if (this.#session !== '') await this.#command('DELETE', '').catch(() => {});
    const { exitCode, signalCode } = this.#driver;
    const ended = exitCode === null && signalCode === null && once(this.#driver, 'exit');
    this.#kill();
    await ended;
    process.off('exit', this.#kill);
    await this.#display.close();
    this.#profile.remove();
  }

  /** Kills the whole group: some processes may outlive the driver. */
  readonly #kill = (): void => {
    try {
      process.kill(-(this.#driver.pid as number), 'SIGKILL');
    } catch {
      // All processes have ended.
    }
  };

  async #begin(): Promise<void> {
    const end = performance.now() + READY_LIMIT;
    while (!(await this.#isReady())) {
      if (performance.now() > end) throw new Error('WebKitWebDriver does not listen');
      await sleep(POLL);
    }
    const options = { binary: miniBrowser(), args: ['--automation'] };
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
    const { sessionId } = await this.#ask<{ sessionId: string }>('POST', '/session', {
      capabilities,
    });
    this.#session = sessionId;
  }

  async #isReady(): Promise<boolean> {
    try {
      await this.#ask('GET', '/status');
      return true;
    } catch {
      return false;
    }
  }

  #execute<T>(script: string, args: readonly unknown[]): Promise<T> {
    return this.#command('POST', '/execute/sync', { script, args });
  }

  #command<T>(method: string, path: string, body?: object): Promise<T> {
    const asked = this.#last.then(() =>
      this.#ask<T>(method, `/session/${this.#session}${path}`, body),
    );
    this.#last = asked.catch(() => {});
    return asked;
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(this.#base + path, {
      method,
      signal: AbortSignal.timeout(COMMAND_LIMIT),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: T };
    if (response.ok) return value;
    const { error, message } = value as { error: string; message: string };
    throw new Error(`${error}: ${message}`);
  }
}

export function launchWebKit(driverPath: string): Promise<Browser> {
  return WebKitBrowser.launch(driverPath);
}

/** Finds the program. On Debian, its path contains the architecture and the version. */
function miniBrowser(): string {
  for (const kind of readdirSync('/usr/lib')) {
    for (const version of ['4.1', '6.0', '4.0']) {
      const path = `/usr/lib/${kind}/webkit2gtk-${version}/MiniBrowser`;
      if (existsSync(path)) return path;
    }
  }
  throw new Error('MiniBrowser is missing, which comes with WebKitWebDriver');
}
