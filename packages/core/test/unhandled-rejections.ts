/** The reasons of the promises that are rejected by `act` and that nobody handles. */
export async function unhandledRejections(act: () => unknown): Promise<unknown[]> {
  const listeners = process.rawListeners('unhandledRejection') as (() => void)[];
  const reasons: unknown[] = [];
  process.removeAllListeners('unhandledRejection'); // Vitest's own fails the run
  process.on('unhandledRejection', (reason) => reasons.push(reason));
  try {
    await act();
    await new Promise((resolve) => setImmediate(resolve)); // Node tells when microtasks are done
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
  return reasons;
}
