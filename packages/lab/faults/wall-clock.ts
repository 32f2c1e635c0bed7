import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The wall clock of programs that are started with {@link env}. It can be set while they run, as by a
 * user or by NTP; their monotonic clock is not affected. Uses libfaketime, given the path of its
 * program `faketime`.
 */
export class WallClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'wirebeat-clock-'));
  readonly #file: string = join(this.#folder, 'offset');

  constructor(faketime: string) {
    this.jump(0);
    this.env = {
      LD_PRELOAD: libraryOf(faketime),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1', // the name in older versions
    };
  }

  /** Sets the clock to `offset` ms from the true time, positive or negative, rounded to seconds. */
  jump(offset: number): void {
    const seconds = Math.round(offset / 1_000);
    writeFileSync(this.#file, `${seconds < 0 ? '' : '+'}${seconds}`);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** Returns the library that the program preloads. */
function libraryOf(faketime: string): string {
  const output = execFileSync(faketime, ['-f', '+0', 'printenv', 'LD_PRELOAD']);
  return String(output).trim();
}
