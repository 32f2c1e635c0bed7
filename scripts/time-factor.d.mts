/** How many times as long work takes as on a machine that does nothing else; a whole number. */
export function measureTimeFactor(): Promise<number>;
