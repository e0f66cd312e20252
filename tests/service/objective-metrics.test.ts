/** Gauges of objectives are of those that there are, as many as they may be. */
import { expect, it } from 'vitest';
import { Engine } from '../../src/engine.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { ObjectiveMetrics } from '../../src/service/objective-metrics.ts';
import { createTelemetry } from '../../src/telemetry/create-telemetry.ts';
import { World } from '../engine/objective-world.ts';
import { objective, policies } from '../support/policies.ts';
import { LocalTelemetry } from './pipeline-stand.ts';

const AT = 1_800_000_000_000;
const [first, second] = ['first', 'second'].map((name) => objective({ service: 'shop', name, target: 0.9 })) as [
  ReturnType<typeof objective>,
  ReturnType<typeof objective>,
];

it('those of an objective that is removed go, and come back with it', () => {
  const world = new World([first, second]);
  world.stream.endpoints(1);
  const telemetry = new LocalTelemetry();
  const metrics = new ObjectiveMetrics(telemetry);
  world.send({ at: AT }, { at: AT, failed: true });
  metrics.show(world.engine, AT);
  expect(telemetry.value('objective_sli_ratio')).toBe(2 * 0.5);
  expect(telemetry.value('objective_budget_remaining_ratio', { objective: second.id })).toBeCloseTo(-4, 9);
  world.engine.reconfigure(policies({ objectives: [first] }));
  metrics.show(world.engine, AT);
  expect(telemetry.value('objective_target_ratio')).toBe(0.9);
  expect(telemetry.value('objective_sli_ratio')).toBe(0.5);
  world.engine.reconfigure(policies({ objectives: [first, second] }));
  metrics.show(world.engine, AT);
  expect(telemetry.value('objective_target_ratio')).toBe(1.8);
});

it('are set only when they say something else, and again after they were gone', () => {
  const world = new World([first]);
  world.stream.endpoints(1);
  const set: string[] = [];
  const telemetry = new (class extends LocalTelemetry {
    override set(...[metric, value, labels]: Parameters<LocalTelemetry['set']>): void {
      set.push(metric);
      super.set(metric, value, labels);
    }
  })();
  const metrics = new ObjectiveMetrics(telemetry);
  world.send({ at: AT }, { at: AT, failed: true });
  metrics.show(world.engine, AT);
  expect(set).toContain('objective_sli_ratio');
  set.length = 0;
  metrics.show(world.engine, AT);
  expect(set).toEqual([]);
  world.send({ at: AT + 1000 });
  metrics.show(world.engine, AT);
  expect(set).toEqual(['objective_sli_ratio', 'objective_budget_remaining_ratio']);
  world.engine.reconfigure(policies({ objectives: [second] }));
  metrics.show(world.engine, AT);
  world.engine.reconfigure(policies({ objectives: [first] }));
  metrics.show(world.engine, AT);
  expect(telemetry.value('objective_target_ratio', { objective: first.id })).toBe(0.9);
});

it('show at which burn rate each window fires', () => {
  const tier = { severity: 'page', longMs: 3_600_000, shortMs: 300_000, budgetShare: 0.02, burnRate: 14.4 } as const;
  const { alerts } = first;
  const world = new World([{ ...first, alerts: { ...alerts, tiers: [tier] } }]);
  const telemetry = new LocalTelemetry();
  world.send({ at: AT });
  world.engine.advance(AT + 1000);
  new ObjectiveMetrics(telemetry).show(world.engine, AT + 1000);
  expect(telemetry.value('objective_burn_threshold', { severity: 'page', window: '1h' })).toBe(14.4);
  expect(telemetry.value('objective_burn_threshold', { severity: 'page', window: '5m' })).toBe(14.4);
});

it('are all told, of thousands of objectives', async () => {
  const telemetry = await createTelemetry({ logLevel: 'error', destination: { write: () => true }, env: {} });
  const objectives = Array.from({ length: 3000 }, (_, i) => objective({ service: 'shop', name: `o${i}` }));
  new ObjectiveMetrics(telemetry).show(new Engine(policies({ objectives }), new HistogramLayout()), AT);
  const text = await telemetry.metricsText();
  expect(text.split('\n').filter((line) => line.startsWith('slipstream_objective_target_ratio{'))).toHaveLength(3000);
  expect(text).not.toContain('otel_metric_overflow');
  await telemetry.shutdown();
});
