/** Declares `document.mjs` for its test. */
export declare function tableOf(
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string;
export declare function document(
  table: string,
  demands: readonly (readonly [holds: boolean, what: string])[],
  packages: readonly string[],
): string;
export declare function keepIn(page: string, name: string, text: string): string;
