import { describe, it } from 'vitest';
import { RULES, type Rule, type Subject } from './w3c-rules.ts';

/** What is known of a subject beforehand. */
export interface Known {
  /** The rules that it is known to break: each must be broken, or it is to be struck off. */
  readonly breaks?: readonly string[];
  /** Those that it breaks by waiting for ever. */
  readonly hangs?: readonly string[];
}

const HANGS = 300; // ms until what is known to hang does

/** Runs the whole suite. */
export function w3cSurface(name: string, subject: Subject & Known): void {
  const { breaks = [], hangs = [] } = subject;
  const rule: Rule = (title, proof) => {
    // Other classes and environments break some of these rules. Each one names which; it.fails proves that it
    // still does, so a rule is never skipped.
    const run = [...breaks, ...hangs].includes(title) ? it.fails : it;
    run(title, proof as never, hangs.includes(title) ? HANGS : undefined);
  };
  describe(name, () => {
    for (const [part, tell] of Object.entries(RULES)) describe(part, () => tell(rule, subject));
  });
}
