// Finds what a run left behind, by a mark that the run had in its environment: its processes inherit
// it, also those in groups of their own, as browsers are. Only where there is /proc.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE = 3_000; // ms, for what is about to end

/** Resolves to the command lines of the processes that have `mark` and do not end by themselves. */
export async function findLeftovers(mark) {
  const end = Date.now() + GRACE;
  while (marked(mark).length > 0 && Date.now() < end) await sleep(100);
  return marked(mark).map((id) => read(id, 'cmdline').replaceAll('\0', ' ').trim());
}

/** Kills them. */
export function endLeftovers(mark) {
  for (const id of marked(mark)) process.kill(Number(id), 'SIGKILL');
}

function marked(mark) {
  return processes().filter((id) => id !== `${process.pid}` && read(id, 'environ').includes(mark));
}

function processes() {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Empty for a process that has ended meanwhile, or is another user's. */
function read(id, file) {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
