/** What a soak asks of its clients: short, for many a link shall die of it. */
export const TIMING: { readonly pingInterval: number; readonly pingTimeout: number } = {
  pingInterval: 5_000,
  pingTimeout: 5_000,
};
