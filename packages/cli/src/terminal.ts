import { styleText } from 'node:util';
import { safeText } from './safe-text.ts';

/** The exit code for an invalid command line or config file, the same as that of ping(8). */
export const MISUSE = 2;

/** Styles for lines. */
export interface Look {
  /** Marks bad news: red on a terminal. */
  bad(text: string): string;
}

/** Where to print results and errors. */
export interface Terminal {
  readonly look: Look;
  /** Prints a line of results to standard output. */
  print(line: string): void;
  /** Prints a sentence for people to standard error. */
  complain(line: string): void;
}

/** The terminal of this process. Shows bad news in red, unless it is not a terminal or `NO_COLOR` is set. */
export function processTerminal(): Terminal {
  const hasColors = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
  return {
    look: { bad: (text) => (hasColors ? styleText('red', text) : text) },
    print: (line) => console.log(line),
    complain: (line) => console.error(`wirebeat: ${safeText(line)}`),
  };
}

/**
 * Ends the process when everything has been written to standard output. `process.exit` alone loses the
 * lines that a slow reader of a pipe has not taken yet.
 */
export function exitWhenWritten(code: number): void {
  process.stdout.write('', () => process.exit(code));
}

/** From now on, a service goes on without its log if nobody reads it, or if the disk is full. */
export function outliveOutput(): void {
  process.stdout.removeAllListeners('error');
  process.stdout.on('error', () => {});
  process.stdout.once('error', ({ message }) => {
    console.error(`wirebeat: goes on without a log: ${safeText(message)}`);
  });
}

/** Aborts at Ctrl-C. A second Ctrl-C ends the process at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  return stop.signal;
}
