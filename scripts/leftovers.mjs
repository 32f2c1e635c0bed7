// Finds processes that a run left behind, by a mark in their environment: child processes inherit it,
// even in process groups of their own, such as browsers. Needs /proc.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const GRACE = 3_000; // ms, for processes that are about to end

/** Resolves to the command lines of the processes that have `mark` and do not end by themselves. */
export async function findLeftovers(mark) {
  const end = Date.now() + GRACE;
  while (marked(mark).length > 0 && Date.now() < end) await sleep(100);
  return marked(mark).map((id) => read(id, 'cmdline').replaceAll('\0', ' ').trim());
}

/** Kills the processes that have `mark`. */
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

/**
 * Returns a file of a process, or an empty text if the process has ended or belongs to another user.
 */
function read(id, file) {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
