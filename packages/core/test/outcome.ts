/** How a promise stands: it waits, or it has settled. */
export type Outcome =
  | { readonly status: 'pending' }
  | { readonly status: 'fulfilled'; readonly value: unknown }
  | { readonly status: 'rejected'; readonly reason: unknown };

/** How `promise` stands by now. */
export async function outcomeOf(promise: Promise<unknown>): Promise<Outcome> {
  let outcome: Outcome = { status: 'pending' };
  promise.then(
    (value) => {
      outcome = { status: 'fulfilled', value };
    },
    (reason: unknown) => {
      outcome = { status: 'rejected', reason };
    },
  );
  for (let turns = 0; turns < 10; turns += 1) await Promise.resolve();
  return outcome;
}
