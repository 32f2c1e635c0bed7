// The log of `wirebeat gateway` names the part of the path that caused an end. The faults of networks are in
// network/blame.root.test.ts, because they need networks of their own.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { MS } from '../allowance.ts';
import { BlameStage, type EndLine, type Plot, REPEATS } from './blame-stage.ts';

/** Silence or age after which the proxy ends a connection, in ms. */
const PROXY_LIMIT = 3_000;

interface Fault {
  readonly name: string;
  readonly plot?: Plot;
  /** Causes the fault, once the page is open. */
  readonly stage: (stage: BlameStage) => Promise<unknown> | unknown;
  readonly blame: string;
  readonly evidence: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'a page that is frozen',
    stage: ({ page }) => page?.signal('SIGSTOP'),
    blame: 'page',
    evidence: /TCP is acknowledged/,
  },
  {
    name: 'a page that closes',
    stage: ({ page }) => page?.send({}),
    blame: 'page',
    evidence: /code 1000/,
  },
  {
    name: 'a gateway that does not run',
    plot: { patience: 1_500, gatewayPatience: 20_000 },
    stage: async ({ gateway }) => {
      gateway.signal('SIGSTOP');
      await sleep(6_000 * MS);
      gateway.signal('SIGCONT');
    },
    blame: 'gateway',
    evidence: /did not run for/,
  },
  {
    name: 'an upstream that is stopped',
    stage: ({ upstream }) => upstream.signal('SIGSTOP'),
    blame: 'upstream',
    evidence: /TCP is acknowledged/,
  },
  {
    name: 'an upstream that is stopped, if the page notices first',
    plot: { patience: 1_500, gatewayPatience: 20_000 },
    stage: ({ upstream }) => upstream.signal('SIGSTOP'),
    blame: 'upstream',
    evidence: /TCP is acknowledged/,
  },
  {
    name: 'an upstream that is killed',
    plot: { chatter: 100 },
    stage: async ({ upstream }) => {
      await sleep(500);
      upstream.signal('SIGKILL');
    },
    blame: 'upstream',
    evidence: /without a Close frame/,
  },
  {
    name: 'an upstream that closes',
    stage: ({ upstream }) => upstream.send({}),
    blame: 'upstream',
    evidence: /code 1008/,
  },
];

/** Stages a fault. Resolves to what the log says about the end of the first connection. */
async function stageFault({ plot, stage: cause }: Fault): Promise<EndLine> {
  const stage = await BlameStage.build(plot);
  try {
    await stage.open();
    await sleep(1_000 * MS); // pings have been answered
    await cause(stage);
    return await stage.end();
  } finally {
    await stage.close();
  }
}

describe.each(FAULTS)('$name', (fault) => {
  it.each(Array.from({ length: REPEATS }, (_, time) => time + 1))(
    'is named in the log, time %d',
    async () => {
      const { blame, evidence, path, reason, by } = await stageFault(fault);
      expect(evidence).toMatch(fault.evidence);
      expect(blame).toBe(fault.blame);
      expect(path).toBe('/live');
      if (fault.name.includes('stopped')) expect([reason, by]).not.toEqual(['abnormal', 'page']);
    },
  );
});

describe.each(['page', 'upstream'] as const)('a proxy on the side of the %s', (proxySide) => {
  it.each(Array.from({ length: REPEATS }, (_, time) => time + 1))(
    'is named in the log for its idle timeout, time %d',
    async () => {
      const stage = await BlameStage.build({ proxySide, pings: false });
      try {
        Object.assign(stage.proxy ?? {}, { limits: { serverSilence: PROXY_LIMIT } });
        await stage.open();
        expect(await stage.end()).toMatchObject({
          blame: `${proxySide}-network`,
          evidence: expect.stringMatching(/idle timeout/),
        });
      } finally {
        await stage.close();
      }
    },
  );

  it.each(Array.from({ length: Math.ceil(REPEATS / 2) }, (_, time) => time + 1))(
    'is named in the log for its lifetime limit, from the third end on, time %d',
    async () => {
      const stage = await BlameStage.build({ proxySide, chatter: 100 });
      try {
        Object.assign(stage.proxy ?? {}, { limits: { age: PROXY_LIMIT } });
        const ends: EndLine[] = [];
        for (let count = 0; count < 4; count += 1) {
          await stage.open();
          ends.push(await stage.end());
        }
        for (const end of ends.slice(2)) {
          expect(end).toMatchObject({
            blame: `${proxySide}-network`,
            evidence: expect.stringMatching(/lifetime limit/),
          });
        }
      } finally {
        await stage.close();
      }
    },
  );
});
