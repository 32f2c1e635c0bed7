import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;

/** A folder for everything that a browser writes, and the environment that makes it write there. */
export class Profile {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'wirebeat-browser-'));
  readonly environment: NodeJS.ProcessEnv;

  constructor(extra: NodeJS.ProcessEnv = {}) {
    const { folder } = this;
    const home = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder };
    this.environment = { ...process.env, ...home, XDG_DATA_HOME: folder, ...extra };
  }

  /** Removes the folder. Retries while ending processes still write to it. */
  remove(): void {
    rmSync(this.folder, REMOVAL);
  }
}
