/** Declares what the tests use of `figures.mjs`. */
export interface Claim {
  readonly claim: string;
  readonly number: string;
  readonly clause: string;
}
export interface Row {
  readonly name: string;
  readonly options: string | undefined;
  readonly cells: readonly string[];
}
export declare function claimsOf(
  prose: string,
  boasts: boolean,
  peers?: readonly string[],
): readonly Claim[];
export declare function rowsKeptIn(text: string): readonly Row[];
export declare function peersIn(rows: readonly Row[]): readonly string[];
export declare function unnamedOptions(claim: Claim, rows: readonly Row[]): string | undefined;
