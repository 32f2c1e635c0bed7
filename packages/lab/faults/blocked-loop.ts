/** Blocks this thread for `duration` ms: no timer runs, and nothing that arrives is read. */
export function blockLoop(duration: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration);
}
