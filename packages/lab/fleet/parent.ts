import type { Fact } from './program.ts';

/** What a program sends to the process that runs it. */
export type FromChild = { readonly fact: Fact } | { readonly id: number; readonly answer: unknown };

interface ToChild {
  readonly id: number;
  readonly order: string;
  readonly given: unknown;
}

/** What a program does when it is asked. */
export type Orders = { readonly [order: string]: (given: never) => unknown };

/** The wall clock, but even: with fractions, and without jumps while a process runs. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

/** What this program was given to begin with. */
export function settings<Settings>(): Settings {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Tells the process that runs this one. */
export function tell(name: string, client?: string, detail: Fact['detail'] = {}): void {
  send({ fact: { name, at: wallClock(), ...(client !== undefined && { client }), detail } });
}

/** Takes orders from the process that runs this one, and ends with it. */
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
