// The metrics of a gateway have the names that the docs list.
import { readFileSync } from 'node:fs';
import { createGateway } from '@wirebeat/server/gateway';
import { describe, expect, it } from 'vitest';
import { GatewayMetrics } from '../../src/gateway/metrics.ts';

const PAGE = new URL('../../../../docs/how-to/metrics.md', import.meta.url);

/** The section of the page with this title. */
function section(title: string): string {
  const [, found = ''] = readFileSync(PAGE, 'utf8').split(`\n## ${title}\n`);
  return found.split('\n## ')[0] ?? '';
}

describe('the metrics of a gateway', () => {
  it('are those of the docs, and all of them', async () => {
    const gateway = createGateway({ upstream: 'ws://localhost:8765' });
    const text = await new GatewayMetrics(gateway, () => undefined).text();
    const exported = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const listed = [...section('The metrics of a gateway').matchAll(/^\| `(wirebeat_\w+)`/gm)];
    expect(exported.length).toBeGreaterThan(10);
    expect(listed.map(([, name]) => name).sort()).toEqual(exported.sort());
  });
});
