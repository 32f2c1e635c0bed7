/** Styles for lines. */
export interface Look {
  /** Marks bad news: red on a terminal. */
  bad(text: string): string;
}

/** Where to print results and errors. */
export interface Output {
  readonly look: Look;
  /** Prints a line of results to standard output. */
  print(line: string): void;
  /** Prints a sentence for people to standard error. */
  complain(line: string): void;
}

/**
 * Ends the process when everything has been written to standard output. `process.exit` alone loses the
 * lines that a slow reader of a pipe has not taken yet.
 */
export function exitWhenWritten(code: number): void {
  process.stdout.write('', () => process.exit(code));
}
