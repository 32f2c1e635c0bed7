import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Time in ms that systemd may take to accept a message. */
const LIMIT = 10_000;

/**
 * Tells systemd that this process serves, and that it is the main process of its service: sd_notify(3).
 * After a replacement, systemd would otherwise end the service together with the process that it knows.
 * Without systemd, which sets `NOTIFY_SOCKET`, does nothing.
 *
 * Node has no datagram sockets of Unix, so this needs the program systemd-notify, which is part of systemd.
 * Rejects with a sentence if it fails. When it resolves, systemd has processed the message.
 */
export async function notifySystemd(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return;
  const states = ['READY=1', `MAINPID=${process.pid}`];
  try {
    await promisify(execFile)('systemd-notify', states, { env, timeout: LIMIT });
  } catch (error) {
    throw new Error(`Cannot notify systemd with systemd-notify: ${(error as Error).message}`);
  }
}
