/** What the dashboards and rules are made of, without any server: places, names, and metrics that the table knows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PREFIX } from '../../src/telemetry/instruments.ts';
import { METRICS, type MetricRow } from '../../src/telemetry/metric-table.ts';
import { DASHBOARDS, dashboardQueries, RULE_GROUPS } from './rig/dashboard-files.ts';
import { namedMetrics } from './rig/named-metrics.ts';

const ROWS: Readonly<Record<string, MetricRow>> = METRICS;
/** What Prometheus itself adds to every series. */
const TARGET_LABELS = ['job', 'instance', 'namespace', 'pod', '__name__'];
const RULES = RULE_GROUPS.flatMap(({ rules }) => rules);
const VARIABLES = DASHBOARDS.flatMap(({ file, dashboard }) =>
  dashboard.templating.list.flatMap(({ name, definition }) => (definition === undefined ? [] : [{ at: `${file}: $${name}`, definition }])),
);
const QUERIES = [
  ...dashboardQueries(),
  ...RULES.map(({ alert, expr }) => ({ at: alert, expr })),
  ...VARIABLES.map(({ at, definition }) => ({
    at,
    expr: definition.replace(/^label_values\((.*), \w+\)$/, '$1').replaceAll('$job', '.*'),
  })),
];
const RUNBOOKS = readFileSync(join(import.meta.dirname, '../../docs/alerts.md'), 'utf8');

describe.each(DASHBOARDS)('dashboard $file', ({ dashboard }) => {
  it('brings no id of its own, and asks the data source that the reader picks', () => {
    expect([dashboard.id, dashboard.uid]).toEqual([undefined, undefined]);
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
    const asked = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ datasource }) => JSON.stringify(datasource)));
    expect(new Set(asked)).toEqual(new Set(['{"type":"prometheus","uid":"$datasource"}']));
  });

  it('numbers its panels, and lays none over another or beyond the 24 columns', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect([title, gridPos.x >= 0 && gridPos.x + gridPos.w <= 24 && gridPos.h > 0]).toEqual([title, true]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.get(`${x},${y}`)]).toEqual([title, undefined]);
          taken.set(`${x},${y}`, title);
        }
      }
    }
  });

  it('says of every panel what it shows, with a unit, and calls no two of its queries the same', () => {
    for (const { type, title, description, targets = [], fieldConfig, options } of dashboard.panels) {
      if (type === 'row') continue;
      expect([title, description?.endsWith('.')]).toEqual([title, true]);
      expect([title, targets.length > 0 && new Set(targets.map(({ refId }) => refId)).size === targets.length]).toEqual([title, true]);
      if (type === 'timeseries' || type === 'stat' || type === 'state-timeline')
        expect([title, fieldConfig?.defaults.unit]).not.toContain(undefined);
      if (type === 'heatmap') expect(options?.yAxis).toMatchObject({ unit: 's' });
    }
  });

  it('uses no variable that it does not have', () => {
    const names = new Set(['__rate_interval', '__range', ...dashboard.templating.list.map(({ name }) => name)]);
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name as string);
    expect(used.filter((name) => !names.has(name) && name !== '__all')).toEqual([]);
  });
});

describe('queries of dashboards and rules', () => {
  it.each(QUERIES)('$at names metrics and labels that the table knows', ({ expr }) => {
    const named = namedMetrics(expr);
    expect(named.length).toBeGreaterThan(0);
    for (const { metric, labels } of named) {
      // Prometheus' own: whether a target could be scraped.
      if (metric === 'up') continue;
      const { row, isBucket } = rowOf(metric);
      const known = [...TARGET_LABELS, ...row.labels, ...(isBucket ? ['le'] : [])];
      expect([metric, labels.filter((label) => !known.includes(label))]).toEqual([metric, []]);
    }
  });

  it('leave no metric of the table out of the dashboards', () => {
    const shown = new Set(dashboardQueries().flatMap(({ expr }) => namedMetrics(expr).map(({ metric }) => rowOf(metric).name)));
    expect(Object.keys(METRICS).filter((name) => !shown.has(name))).toEqual([]);
  });
});

describe('alert rules', () => {
  it('have a name, a severity, a summary, and a figure in the description, each only once', () => {
    expect(new Set(RULES.map(({ alert }) => alert)).size).toBe(RULES.length);
    for (const { alert, labels, annotations } of RULES) {
      expect([alert, alert.startsWith('Slipstream')]).toEqual([alert, true]);
      expect(['critical', 'warning']).toContain(labels.severity);
      expect([alert, annotations.summary !== undefined && !annotations.summary.endsWith('.')]).toEqual([alert, true]);
      expect([alert, annotations.description?.endsWith('.')]).toEqual([alert, true]);
    }
    const withoutFigure = RULES.filter(({ annotations }) => !/\$value|query/.test(annotations.description ?? '')).map(({ alert }) => alert);
    // What is absent has none, and neither has a state.
    expect(withoutFigure).toEqual([
      'SlipstreamAbsent',
      'SlipstreamDown',
      'SlipstreamHarmHeld',
      'SlipstreamLeaseUnheld',
      'SlipstreamReloadRefused',
      'SlipstreamIntakeStopped',
      'SlipstreamObjectiveFrozen',
    ]);
  });

  it.each(RULES)('$alert leads to a section of its own that says what to do', ({ alert, labels, annotations }) => {
    expect(annotations.runbook_url).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
    const section = RUNBOOKS.split(/^## /m).find((text) => text.startsWith(`${alert}\n`));
    expect(section).toContain(`*${labels.severity}*`);
    expect(section).toMatch(/\*\*To do:\*\*/);
  });

  it('have no section without an alert', () => {
    const sections = [...RUNBOOKS.matchAll(/^## (Slipstream\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(RULES.map(({ alert }) => alert));
  });
});

/** The row of a metric by its full name; of a histogram the name of one of its series. */
function rowOf(metric: string): { readonly name: string; readonly row: MetricRow; readonly isBucket: boolean } {
  expect(metric.startsWith(PREFIX)).toBe(true);
  const name = metric.slice(PREFIX.length);
  const row = ROWS[name];
  if (row !== undefined && row.kind !== 'histogram') return { name, row, isBucket: false };
  const [, base = '', part] = /^(.*)_(bucket|sum|count)$/.exec(name) ?? [];
  const histogram = ROWS[base];
  if (histogram?.kind !== 'histogram') throw new Error(`there is no metric ${metric}`);
  return { name: base, row: histogram, isBucket: part === 'bucket' };
}
