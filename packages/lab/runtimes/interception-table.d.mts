/** Declares `interception-table.mjs` for tests. */
type Listener = 'handler' | 'late' | 'early' | 'earlyCapture';

export declare const LISTENERS: readonly Listener[];

/** What each kind of listener hears of a beat. */
export type Hearing = Readonly<Record<Listener, 'nothing' | 'beats' | 'impossible'>>;

export declare function readTable(): ReadonlyMap<string, Hearing>;
export declare function hearingOf(
  heard: Readonly<Record<string, readonly string[]>>,
  messages: readonly string[],
): Hearing;
