/** Runs `act`, and collects the errors that the runtime reports in place of the test runner. */
export async function reportedErrors(act: () => void): Promise<unknown[]> {
  const errors: unknown[] = [];
  const collect = (error: unknown) => errors.push(error);
  const names = ['unhandledRejection', 'uncaughtException'] as const;
  const before = names.map((name) => process.listeners(name as 'uncaughtException'));
  for (const name of names) process.removeAllListeners(name).on(name, collect);
  try {
    act();
    await new Promise((resolve) => setImmediate(resolve)); // both are reported before this turn ends
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    for (const [index, name] of names.entries()) {
      process.removeAllListeners(name);
      for (const listener of before[index] ?? []) process.on(name, listener);
    }
  }
  return errors;
}
