// Vitest's `expect`, in a page: what the rules of `w3c-rules.ts` take from `vitest` when `w3c.ts` has
// bundled them for it.
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

export const { expect } = chai;
