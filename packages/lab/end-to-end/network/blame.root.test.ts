// The log of `wirebeat gateway` tells a lost network from a process that does not run.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type NetworkDirection, TestNetwork } from '../../faults/test-network.ts';
import { MS } from '../allowance.ts';
import { BlameStage, REPEATS } from '../gateway/blame-stage.ts';

let network: TestNetwork;
let stage: BlameStage | undefined;

beforeEach(() => {
  network = new TestNetwork();
});

afterEach(async () => {
  await stage?.close();
  network.remove();
});

interface Cut {
  readonly side: 'page' | 'upstream';
  readonly words: string;
  readonly direction?: NetworkDirection;
}

const CUTS: readonly Cut[] = [
  { side: 'page', words: 'in both directions' },
  { side: 'page', words: 'towards the gateway', direction: 'there' },
  { side: 'page', words: 'towards the page', direction: 'back' },
  { side: 'upstream', words: 'in both directions' },
  { side: 'upstream', words: 'towards the upstream', direction: 'there' },
  { side: 'upstream', words: 'towards the gateway', direction: 'back' },
];

describe.each(CUTS)('a network to the $side that is cut $words', ({ side, direction }) => {
  it.each(Array.from({ length: REPEATS }, (_, time) => time + 1))(
    'is named in the log, time %d',
    async () => {
      stage = await BlameStage.build({ network, networkSide: side });
      await stage.open();
      await sleep(1_000 * MS);
      network.drop(direction);
      expect(await stage.end()).toMatchObject({
        blame: `${side}-network`,
        evidence: expect.stringMatching(/no acknowledgements/),
      });
    },
  );
});

describe.each([
  ['page', 'page'],
  ['upstream', 'upstream'],
] as const)('behind a network, a %s that is stopped', (networkSide, name) => {
  it.each(Array.from({ length: REPEATS }, (_, time) => time + 1))(
    'is named in the log, time %d',
    async () => {
      stage = await BlameStage.build({ network, networkSide });
      await stage.open();
      await sleep(1_000 * MS);
      stage[name]?.signal('SIGSTOP');
      expect(await stage.end()).toMatchObject({
        blame: networkSide,
        evidence: expect.stringMatching(/TCP is acknowledged/),
      });
    },
  );
});
