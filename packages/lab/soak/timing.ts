/** The timing of the clients in a soak: short, so that many connections die. */
export const TIMING: { readonly pingInterval: number; readonly pingTimeout: number } = {
  pingInterval: 5_000,
  pingTimeout: 5_000,
};
