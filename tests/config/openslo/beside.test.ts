/** OpenSLO files lie among our own: they are loaded as they are, and what is wrong is told at its place in them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.ts';
import { resolvePolicies } from '../../../src/config/policies.ts';
import { validateFiles } from '../../../src/config/validate-files.ts';
import { readYaml } from '../../../src/config/yaml-source.ts';

const SHOP = readFileSync(join(import.meta.dirname, '../../fixtures/openslo/spans/shop.yaml'), 'utf8');
const LIST = `- apiVersion: openslo/v1
  kind: SLO
  metadata: { name: answers }
  spec:
    service: shop
    indicator:
      metadata: { name: answers }
      spec:
        ratioMetric:
          bad: { metricSource: { type: OpenTelemetrySpans, spec: { scope: service, bad: serverError } } }
          total: { metricSource: { type: OpenTelemetrySpans, spec: { scope: service } } }
    timeWindow: [{ duration: 7d, isRolling: true }]
    budgetingMethod: Occurrences
    objectives: [{ target: 0.99 }]
`;
const OURS = `apiVersion: slipstream.dev/v1
kind: ServiceObjectives
metadata: { name: shop }
spec:
  service: shop
  window: 28d
  canary: { warmup: 9m }
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipstream-beside-'));
  mkdirSync(join(folder, 'slos'));
  writeFileSync(join(folder, 'process.yaml'), 'slos: [slos/]\n');
  writeFileSync(join(folder, 'slos/ours.yaml'), OURS);
  writeFileSync(join(folder, 'slos/theirs.yaml'), LIST);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function resolved(...texts: readonly string[]) {
  const sources = texts.flatMap((text, index) => readYaml(`${index}.yaml`, text).documents);
  const { policies, problems, warnings } = resolvePolicies(sources, null, '', true);
  return { shop: policies.services.get('shop'), problems, warnings };
}

describe('OpenSLO among our files', () => {
  it('is loaded from the folder of SLOs, and a document of ours without objectives adds its policy', () => {
    const result = loadConfig(join(folder, 'process.yaml'), {});
    if ('problems' in result) throw new Error(JSON.stringify(result.problems));
    const shop = result.config.policies.services.get('shop');
    expect(shop?.objectives).toMatchObject([{ id: 'shop:answers', target: 0.99, windowMs: 7 * 86_400_000 }]);
    expect(shop?.canary?.warmupMs).toBe(9 * 60_000);
    expect(result.warnings).toEqual([]);
  });

  it('is validated as SLO files are, lists too', () => {
    expect(validateFiles([join(folder, 'slos/theirs.yaml')])).toMatchObject({ problems: [], warnings: [], services: ['shop'] });
    expect(validateFiles([folder])).toMatchObject({ problems: [], services: ['shop'] });
  });

  it('of a service that promises something in ours already is one document too many', () => {
    const { problems } = resolved(`${OURS}  objectives: [{ availability: 99% }]\n`, LIST);
    expect(problems).toMatchObject([
      { file: '1.yaml', line: 5, path: '[0].spec.service', message: expect.stringContaining('another document is about') },
    ]);
  });

  it('has its doubts and losses as warnings', () => {
    const { problems, warnings, shop } = resolved(SHOP);
    expect(problems).toEqual([]);
    expect(shop?.objectives).toHaveLength(6);
    expect(warnings.map(({ file, line }) => `${file}:${line}`)).toEqual(['0.yaml:95', '0.yaml:100', '0.yaml:100']);
  });

  it('that cannot be kept is refused, not passed over', () => {
    const { problems } = resolved(LIST.replaceAll('OpenTelemetrySpans', 'Datadog'));
    expect(problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '11 SLO `answers`: a source of type `Datadog` is not supported: its queries cannot be answered from spans',
      '10 SLO `answers`: a source of type `Datadog` is not supported: its queries cannot be answered from spans',
    ]);
  });

  it('breaks our own rules at its place, also where a document of ours is filled with it', () => {
    const nine = Array.from({ length: 9 }, (_, index) => `{ op: lte, value: ${100 + index}, target: 0.9 }`).join(', ');
    const source = '{ thresholdMetric: { metricSource: { type: OpenTelemetrySpans, spec: { field: duration, unit: ms } } } }';
    const text = LIST.replace(/spec:\n {8}ratioMetric:[\s\S]*?timeWindow/, `spec: ${source}\n    timeWindow`).replace(
      '{ target: 0.99 }',
      nine,
    );
    for (const texts of [[text], [OURS, text]]) {
      const { problems } = resolved(...texts);
      expect(problems).toMatchObject([
        {
          file: `${texts.length - 1}.yaml`,
          path: '[0].spec.objectives[8]',
          message: expect.stringContaining('more than 8 different latency limits'),
        },
      ]);
    }
  });
});
