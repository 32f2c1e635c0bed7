// A vitest reporter that prints the slowest files of a run and writes its counts to the file named by
// COUNTS.
import { writeFileSync } from 'node:fs';

const SLOWEST = 5;

export default class CountReporter {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      // The file failed before its tests were collected.
      if (module.state() === 'failed' && module.children.size === 0) counts.failed += 1;
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
    }
    writeFileSync(process.env.COUNTS, JSON.stringify(counts));
    printSlowest(modules);
  }
}

function printSlowest(modules) {
  const timed = modules.map((module) => [module.diagnostic().duration, module.relativeModuleId]);
  const slowest = timed.sort(([a], [b]) => b - a).slice(0, SLOWEST);
  const lines = slowest.map(([ms, file]) => `${(ms / 1_000).toFixed(1).padStart(7)} s  ${file}`);
  console.log(`\nThe slowest files:\n${lines.join('\n')}`);
}
