/** What the chart ships for Grafana and Prometheus, as its files are. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const CHART = join(import.meta.dirname, '../../../charts/slipstream');
export const RULES_FILE = join(CHART, 'rules/slipstream.yaml');

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly format: string;
  readonly legendFormat: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly datasource: unknown;
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string; readonly custom?: unknown };
    readonly overrides: readonly unknown[];
  };
  readonly options?: Readonly<Record<string, unknown>>;
  readonly transformations?: readonly unknown[];
}

export interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

export interface DashboardJson {
  readonly title: string;
  readonly id?: unknown;
  readonly uid?: unknown;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly VariableJson[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
}

export interface DashboardFile {
  readonly file: string;
  readonly dashboard: DashboardJson;
}

export const DASHBOARDS: readonly DashboardFile[] = readdirSync(join(CHART, 'dashboards'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({ file, dashboard: JSON.parse(readFileSync(join(CHART, 'dashboards', file), 'utf8')) as DashboardJson }));

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly AlertRule[];
}

export const RULE_GROUPS: readonly RuleGroup[] = (parse(readFileSync(RULES_FILE, 'utf8')) as { groups: readonly RuleGroup[] }).groups;

/** A query of a dashboard and where it stands. */
export interface DashboardQuery {
  readonly at: string;
  readonly expr: string;
}

/** Every query of every panel and annotation, with Grafana's variables in place: all values, and a time that fits a short test. */
export function dashboardQueries(): DashboardQuery[] {
  return DASHBOARDS.flatMap(({ file, dashboard }) => [
    ...dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ refId, expr }) => ({ at: `${file}: ${title} ${refId}`, expr: filledIn(expr) })),
    ),
    ...dashboard.annotations.list.map(({ name, expr }) => ({ at: `${file}: annotation ${name}`, expr: filledIn(expr) })),
  ]);
}

/** As Grafana does for the value `All`. */
export function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '5m').replaceAll('$job', '.*').replaceAll('$service', '.*');
}
