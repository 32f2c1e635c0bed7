import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { handOver } from '../../src/gateway/hand-over.ts';
import type { Entry } from '../../src/gateway/log.ts';
import type { GatewayService } from '../../src/gateway/service.ts';

const { execPath } = process;
afterEach(() => {
  process.execPath = execPath;
});

describe('a gateway whose next process does not start', () => {
  it.each([
    ['is not there', '/nowhere/node', /ENOENT/],
    ['is no program', '/', /EACCES/],
    ['ends at once', '/bin/false', /./],
  ])('goes on if that %s', async (_, program, words) => {
    const main = createServer().listen(0, '127.0.0.1');
    await once(main, 'listening');
    const entries: Entry[] = [];
    process.execPath = program;
    const service = { servers: { main, status: undefined }, open: 0 } as unknown as GatewayService;
    await handOver(service, (entry) => void entries.push(entry));
    expect(entries).toEqual([{ event: 'hand-over-failed', error: expect.stringMatching(words) }]);
    expect(main.listening).toBe(true);
    main.close();
  });
});
