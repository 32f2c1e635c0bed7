// Starts the processes of a benchmark with real connections: the measured server and its clients.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Whether processes can be kept to one core each, so that server and clients do not get in each other's way. */
export const CAN_PIN =
  cpus().length > 1 && spawnSync('taskset', ['-c', '1', process.execPath, '-e', '0']).status === 0;

/**
 * Starts a process that answers each message with one; `answer` is its first message, sent when it is
 * ready. With `core`, it runs on that core alone, if the system can do that.
 */
export async function startProcess(file, options, execArgv = [], core) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const pinned = CAN_PIN && core !== undefined ? ['taskset', '-c', `${core}`] : [];
  const [program, ...args] = [...pinned, process.execPath, ...execArgv, path];
  const child = spawn(program, [...args, JSON.stringify(options)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const answerOf = () =>
    new Promise((resolve, reject) => {
      const take = (answer) => {
        child.off('exit', fail);
        resolve(answer);
      };
      const fail = (code, signal) => reject(new Error(`${file} has ended: ${code ?? signal}`));
      child.once('message', take);
      child.once('exit', fail);
    });
  const first = await answerOf();
  return {
    answer: first,
    ask: (question) => {
      const answer = answerOf();
      child.send(question);
      return answer;
    },
    stop: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL'); // it may be stopped
      await once(child, 'exit');
    },
  };
}
