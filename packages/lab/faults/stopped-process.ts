import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Stops a process with all its threads for `duration` ms. Its kernel keeps acknowledging what arrives.
 * The process always resumes, even if this fails.
 */
export async function stopProcess(pid: number, duration: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    await sleep(duration);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
