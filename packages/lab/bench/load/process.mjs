// Starts the processes of a benchmark with real connections: the measured server and its clients.
import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * Starts a process that answers each message with one; `answer` is its first message, sent when it is
 * ready.
 */
export async function startProcess(file, options, execArgv = []) {
  const child = fork(new URL(file, import.meta.url), [JSON.stringify(options)], { execArgv });
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
    end: async () => {
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}
