import type { Millis } from '@wirebeat/core';
import type { Target } from '../connection/dial.ts';
import type { Tier } from '../connection/prober.ts';
import { search, sentencesOf } from '../limits/find-idle.ts';
import { needsShorterInterval } from '../limits/idle-findings.ts';
import type { Say } from './finding.ts';
import { ALLOW_IDLE } from './remedies.ts';

/** Searches for an idle timeout and a lifetime limit, and reports what was found up to `upTo` ms. */
export async function examineLimits(
  target: Target & { readonly tier: Tier },
  upTo: Millis,
  say: Say,
  stop: AbortSignal,
): Promise<void> {
  const findings = await search({ ...target, upTo, json: false }, stop);
  const { idle, lifetime, pingInterval, maxAge, endedTogether } = findings;
  const isLimited = needsShorterInterval(findings) || lifetime !== undefined || endedTogether;
  say({
    check: 'limits',
    verdict: isLimited ? 'warning' : 'ok',
    text: sentencesOf(findings).join(' '),
    ...(idle !== undefined || lifetime !== undefined ? { remedies: ALLOW_IDLE } : {}),
    details: {
      ...(idle?.type === 'closed' && { idleMs: Math.round(idle.after) }),
      ...(idle?.type === 'dropped' && {
        idleFromMs: Math.round(idle.from),
        idleToMs: Math.round(idle.to),
      }),
      ...(lifetime !== undefined && { lifetimeMs: Math.round(lifetime.after) }),
      ...(pingInterval !== undefined && { pingIntervalMs: pingInterval }),
      ...(maxAge !== undefined && { maxAgeMs: maxAge }),
      survivedIdleMs: Math.round(findings.survivedIdle),
      survivedAgeMs: Math.round(findings.survivedAge),
    },
  });
}
