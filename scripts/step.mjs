// Prints one line per step of a longer task: whether it succeeded, and how long it took.
import { performance } from 'node:perf_hooks';

/**
 * Waits for `work`, which resolves to `{ code, output }`, and prints the result. Prints the output too
 * if the step failed or if `isShown`. Resolves to whether it succeeded.
 */
export async function step(name, work, isShown = false) {
  const start = performance.now();
  const { code, output } = await work();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  const shown = output.trimEnd();
  if (shown !== '' && (code !== 0 || isShown)) console.log(shown.replace(/^/gm, '     '));
  return code === 0;
}
