import type { Fact } from './program.ts';

/** A message from a program to its parent process. */
export type FromChild = { readonly fact: Fact } | { readonly id: number; readonly answer: unknown };

interface ToChild {
  readonly id: number;
  readonly order: string;
  readonly given: unknown;
}

/** The orders that a program accepts. */
export type Orders = { readonly [order: string]: (given: never) => unknown };

/** Returns the wall clock in ms with fractions, and without jumps while the process runs. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

/** Returns the settings of this program. */
export function settings<Settings>(): Settings {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Reports a fact to the parent process. */
export function tell(name: string, client?: string, detail: Fact['detail'] = {}): void {
  send({ fact: { name, at: wallClock(), ...(client !== undefined && { client }), detail } });
}

/** Accepts orders from the parent process and ends with it. */
export function obey(orders: Orders): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ id, order, given }: ToChild) => {
    const act = orders[order];
    if (act === undefined) throw new Error(`there is no order ${order}`);
    void Promise.resolve(act(given as never)).then((answer) => send({ id, answer }));
  });
}

function send(message: FromChild): void {
  if (process.connected) process.send?.(message);
}
