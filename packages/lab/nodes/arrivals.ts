import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes down that a message has reached a server's application, before anything can kill the server. */
export function writeArrival(file: string, client: string, number: number): void {
  appendFileSync(file, `${client} ${number}\n`);
}

/**
 * The messages that have reached the applications of all servers, in one file. A fact would not do: it may
 * wait in the pipe of a server that is killed after the client's ping has been answered.
 */
export class Arrivals {
  readonly file: string;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'wirebeat-'));

  constructor() {
    this.file = join(this.#folder, 'arrivals');
    writeFileSync(this.file, '');
  }

  /** Returns how many messages have arrived, those that came again included. */
  get count(): number {
    return this.#lines().length;
  }

  /** Returns one sentence for each client that has sent more messages than have arrived. */
  missing(sent: Readonly<Record<string, number>>): string[] {
    const distinct = new Map<string, number>();
    for (const line of new Set(this.#lines())) {
      const [client = ''] = line.split(' ');
      distinct.set(client, (distinct.get(client) ?? 0) + 1);
    }
    return Object.entries(sent).flatMap(([client, count]) => {
      const lacks = count - (distinct.get(client) ?? 0);
      return lacks > 0 ? [`${client}: ${lacks} of ${count} messages are missing`] : [];
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #lines(): string[] {
    return readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
  }
}
