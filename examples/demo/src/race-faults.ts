/** A fault that the page can cause, once a race. */
export interface Fault {
  /** In the first sentence of the verdict. */
  readonly past: string;
  cause(page: string): Promise<void>;
}

const BLOCK = 10_000;

/** The faults, by the id of their button. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  cut: { past: 'The link was cut silently', cause: (page) => ask('cut', page) },
  hold: {
    past: 'Nothing got through for 10 s, as in a tunnel',
    cause: (page) => ask('hold', page),
  },
  lose: {
    past: 'A mobile link lost packets for 20 s',
    cause: (page) => ask('lose', page),
  },
  restart: { past: 'The server was restarted', cause: (page) => ask('restart', page) },
  freeze: { past: 'The server was frozen for 5 s', cause: (page) => ask('freeze', page) },
  block: { past: 'This page was blocked for 10 s', cause: block },
};

async function ask(fault: string, page: string): Promise<void> {
  const { ok, status } = await fetch(`/faults/${fault}?page=${page}`, { method: 'POST' });
  if (!ok) throw new Error(`The server refused (${status}).`);
}

/** Keeps the main thread busy, so that nothing of this page runs. */
async function block(): Promise<void> {
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))); // it is painted
  const end = performance.now() + BLOCK;
  while (performance.now() < end);
}
