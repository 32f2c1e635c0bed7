// The metrics of a gateway have the names that the docs list.
import { readFileSync } from 'node:fs';
import { createGateway } from '@wirebeat/server/gateway';
import { describe, expect, it } from 'vitest';
import { GatewayMetrics } from '../../src/gateway/metrics.ts';
import type { ReadinessProbe } from '../../src/gateway/readiness-probe.ts';

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

  it('begin at 0 for every end, so that Prometheus sees the first increase', async () => {
    const gateway = createGateway({ upstream: 'ws://localhost:8765' });
    const text = await new GatewayMetrics(gateway, () => undefined).text();
    for (const blame of ['page', 'page-network', 'gateway', 'upstream-network', 'upstream']) {
      for (const reason of ['closed', 'upstream-dead', 'abnormal']) {
        expect(text).toContain(`wirebeat_ends_total{reason="${reason}",blame="${blame}"} 0\n`);
      }
    }
  });

  it('say nothing about the upstream until it has been probed', async () => {
    const gateway = createGateway({ upstream: 'ws://localhost:8765' });
    let probe: Pick<ReadinessProbe, 'state'> | undefined;
    const metrics = new GatewayMetrics(gateway, () => probe);
    const line = async () =>
      /^wirebeat_gateway_upstream_ready .*$/m.exec(await metrics.text())?.[0];
    const state = { latency: undefined, error: undefined };
    expect(await line()).toBeUndefined();
    probe = { state: { ...state, isReady: false, at: undefined } };
    expect(await line()).toBeUndefined();
    probe = { state: { ...state, isReady: false, at: 1 } };
    expect(await line()).toBe('wirebeat_gateway_upstream_ready 0');
    probe = { state: { ...state, isReady: true, at: 2 } };
    expect(await line()).toBe('wirebeat_gateway_upstream_ready 1');
    probe = undefined; // switched off by a reload
    expect(await line()).toBeUndefined();
  });

  it.each(['gateway-alerts.yml', 'dashboard.json'])('include what %s asks for', async (file) => {
    const text = readFileSync(new URL(file, EXAMPLE), 'utf8');
    const asked = new Set(text.match(/\bwirebeat_\w+/g));
    expect(asked.size).toBeGreaterThan(3);
    const exported = await exportedNames();
    for (const name of asked) expect(exported).toContain(name.replace(/_bucket$/, ''));
  });
});
