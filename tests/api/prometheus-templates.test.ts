/** The templates that are shipped for Flagger and Argo Rollouts are sent as these send them, and read the canary alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { PrometheusWorld, type Served, START_SEC, valuesOf } from './prometheus-world.ts';

const CONFIG = join(import.meta.dirname, '../../config');
const END = START_SEC + 80;
const HASH = 'k8s.pod.label.rollouts-pod-template-hash';

/** Of the canary every tenth request fails, and every twentieth takes 900 ms; nothing is wrong with the other. */
const SERVED: readonly Served[] = Array.from({ length: 800 }, (_, i) => {
  const isCanary = i % 4 === 0;
  const name = isCanary ? 'podinfo' : 'podinfo-primary';
  return {
    atSec: START_SEC + i / 10 + 0.05,
    durationMs: isCanary && i % 80 === 0 ? 900 : 100,
    failed: isCanary && i % 40 === 0,
    service: 'podinfo',
    resource: { 'k8s.deployment.name': name, [HASH]: isCanary ? '7c9f' : '5d21' },
  };
});

const world = new PrometheusWorld(SERVED);
world.nowMs = (END + 200) * 1000;
beforeAll(() => world.start());
afterAll(() => world.stop());

interface Template {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly query?: string;
    readonly metrics?: readonly { readonly name: string; readonly provider: { readonly prometheus: { readonly query: string } } }[];
  };
}

function templates(file: string): Template[] {
  return parseAllDocuments(readFileSync(join(CONFIG, file), 'utf8')).map((document) => document.toJS() as Template);
}

function filled(query: string, values: Readonly<Record<string, string>>): string {
  return query.replace(/\{\{\s*([\w.-]+)\s*\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new RangeError(`nothing is given for ${name}`);
    return value;
  });
}

describe('Flagger', () => {
  const asked = templates('flagger/metric-templates.yaml').map(({ metadata, spec }) => [metadata.name, spec.query ?? ''] as const);

  it.each([
    ['slipstream-error-rate', 10],
    ['slipstream-latency-p99', 900],
  ])('%s', async (name, wanted) => {
    const query = asked.find(([known]) => known === name)?.[1] ?? '';
    // Flagger takes line breaks out, asks with GET and reads the last sample.
    const sent = filled(query, { target: 'podinfo', interval: '1m' }).replaceAll('\n', ' ').trim();
    const told = Object.values(await world.values(sent, END));
    expect(told).toHaveLength(1);
    expect(Math.abs((told[0] as number) / wanted - 1)).toBeLessThan(0.01);
    expect(Object.values(await world.values(filled(query, { target: 'nobody', interval: '1m' }), END))).toEqual([]);
  });
});

describe('Argo Rollouts', () => {
  const [template] = templates('argo-rollouts/prometheus-analysis-template.yaml') as [Template];
  const metrics = (template.spec.metrics ?? []).map(({ name, provider }) => [name, provider.prometheus.query] as const);

  it.each([
    ['error-percent', '7c9f', 10],
    ['error-percent', '5d21', 0],
    ['p99-ms', '7c9f', 900],
    ['p99-ms', '5d21', 100],
  ])('%s of %s', async (name, hash, wanted) => {
    const query = metrics.find(([known]) => known === name)?.[1] ?? '';
    const body = new URLSearchParams({ query: filled(query, { 'args.service': 'podinfo', 'args.canary-hash': hash }), time: String(END) });
    const told = Object.values(valuesOf(await world.ask('/api/v1/query', { method: 'POST', body })));
    expect(told).toHaveLength(1);
    expect(Math.abs((told[0] as number) - wanted)).toBeLessThanOrEqual(wanted * 0.01);
  });
});
