/** Keeps this thread busy for so many ms: no timer runs, nothing that has come is read. */
export function blockLoop(duration: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, duration);
}
