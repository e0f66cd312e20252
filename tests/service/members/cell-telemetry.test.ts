/** Gauges of several cells in one process. */
import { expect, it } from 'vitest';
import { CellGauges, cellTelemetry } from '../../../src/service/members/cell-telemetry.ts';
import { createTelemetry } from '../../../src/telemetry/create-telemetry.ts';
import { LocalTelemetry } from '../pipeline-stand.ts';

it('sum up, but for what holds in every cell, and go with their cell', () => {
  const telemetry = new LocalTelemetry();
  const gauges = new CellGauges(telemetry);
  const [a, b] = ['0', '1'].map((cell) => cellTelemetry(gauges, cell, () => true)) as [
    ReturnType<typeof cellTelemetry>,
    ReturnType<typeof cellTelemetry>,
  ];
  for (const [cell, runs] of [
    [a, 2],
    [b, 3],
  ] as const) {
    cell.set('analysis_runs', runs, { state: 'running' });
    cell.set('overrides_in_force', 1, { scope: 'everything' });
  }
  a.set('analysis_runs', 4, { state: 'running' });
  expect(telemetry.value('analysis_runs', { state: 'running' })).toBe(7);
  expect(telemetry.value('overrides_in_force')).toBe(1);
  a.drop();
  a.set('analysis_runs', 100, { state: 'running' });
  expect(telemetry.value('analysis_runs', { state: 'running' })).toBe(3);
});

it('of a service that another cell has are not shown', () => {
  const telemetry = new LocalTelemetry();
  const cell = cellTelemetry(new CellGauges(telemetry), '0', (service) => service === 'shop');
  for (const service of ['shop', 'cart']) cell.set('objective_target_ratio', 0.99, { service, objective: 'o' });
  expect(telemetry.value('objective_target_ratio')).toBe(0.99);
  cell.add('late_spans_total', 2);
  expect(telemetry.value('late_spans_total')).toBe(2);
});

it('are gone from /metrics with the last cell that set them', async () => {
  const telemetry = await createTelemetry({ logLevel: 'error', destination: { write: () => undefined }, env: {} });
  const cell = cellTelemetry(new CellGauges(telemetry), '0', () => true);
  cell.set('objective_target_ratio', 0.99, { service: 'shop', objective: 'o' });
  telemetry.set('series', 5);
  expect(await telemetry.metricsText()).toContain('slipstream_objective_target_ratio{service="shop"');
  cell.drop();
  const text = await telemetry.metricsText();
  expect(text).not.toContain('slipstream_objective_target_ratio{');
  expect(text).not.toContain('NaN');
  expect(text).toMatch(/^slipstream_series\S* 5$/m);
  await telemetry.shutdown();
});
