/** Timing of clients and servers: short, so that a soak of a minute sees every kind of fault end. */
export const TIMING = { pingInterval: 3_000, pingTimeout: 3_000 } as const;
/** Timing of the registry. */
export const REGISTRY_TIMING = { lease: 4_000, grace: 2_000 } as const;

/** A clock that all processes of a machine share, and that nobody sets. In ms. */
export const sharedNow = (): number => Number(process.hrtime.bigint()) / 1e6;
