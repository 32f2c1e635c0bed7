import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Stops a process for so many ms, and all its threads with it: its kernel goes on to acknowledge what
 * comes. It runs again afterwards, however this ends.
 */
export async function stopProcess(pid: number, duration: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    await sleep(duration);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
