// The metrics of a gateway have the names that the docs list.
import { readFileSync } from 'node:fs';
import { createGateway } from '@wirebeat/server/gateway';
import { describe, expect, it } from 'vitest';
import { GatewayMetrics } from '../../src/gateway/metrics.ts';

const EXAMPLE = new URL('../../../../examples/metrics/', import.meta.url);
const PAGE = new URL('../../../../docs/how-to/metrics.md', import.meta.url);

/** The section of the page with this title. */
function section(title: string): string {
  const [, found = ''] = readFileSync(PAGE, 'utf8').split(`\n## ${title}\n`);
  return found.split('\n## ')[0] ?? '';
}

/** The names that a gateway exports. */
async function exportedNames(): Promise<readonly (string | undefined)[]> {
  const gateway = createGateway({ upstream: 'ws://localhost:8765' });
  const text = await new GatewayMetrics(gateway, () => undefined).text();
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
}

describe('the metrics of a gateway', () => {
  it('are those of the docs, and all of them', async () => {
    const exported = await exportedNames();
    const listed = [...section('The metrics of a gateway').matchAll(/^\| `(wirebeat_\w+)`/gm)];
    expect(exported.length).toBeGreaterThan(10);
    expect(listed.map(([, name]) => name).sort()).toEqual([...exported].sort());
  });

  it.each(['gateway-alerts.yml', 'dashboard.json'])('include what %s asks for', async (file) => {
    const text = readFileSync(new URL(file, EXAMPLE), 'utf8');
    const asked = new Set(text.match(/\bwirebeat_\w+/g));
    expect(asked.size).toBeGreaterThan(3);
    const exported = await exportedNames();
    for (const name of asked) expect(exported).toContain(name.replace(/_bucket$/, ''));
  });
});
