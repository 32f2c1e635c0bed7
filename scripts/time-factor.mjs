// Measures how busy the machine is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';

const WORK = 150; // ms of CPU time, on every core at once
const IS_BUSY = 1.5; // a smaller factor may be random variation
const MOST = 5; // a larger factor would make a run take an hour
const PROGRAM = `
const used = () => {
  const { user, system } = process.cpuUsage(); // reading it is a system call, so both count
  return (user + system) / 1_000;
};
const [start, before] = [performance.now(), used()];
while (used() - before < ${WORK});
process.stdout.write(String((performance.now() - start) / ${WORK}));
`;

/**
 * Resolves to how many times longer work takes than on an idle machine, as a whole number: 1 if nothing
 * else runs, 3 if each core has two other busy processes.
 */
export async function measureTimeFactor() {
  const factors = await Promise.all(Array.from({ length: availableParallelism() }, measureOnce));
  const worst = Math.max(1, ...factors);
  return worst < IS_BUSY ? 1 : Math.min(MOST, Math.ceil(worst));
}

async function measureOnce() {
  const child = spawn(process.execPath, ['--eval', PROGRAM], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  await once(child, 'close');
  return Number(output);
}
