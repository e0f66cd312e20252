/** Files, and parts of files, that are made from the code: `npm run generate` writes them, a test keeps them true. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartValuesText } from '../../src/config/chart-values-json.ts';
import { configSchemaText } from '../../src/config/config-schema.ts';
import { objectivesDashboardText } from '../dashboards/source/objectives-dashboard.ts';
import { selfDashboardText } from '../dashboards/source/self-dashboard.ts';
import { chartValuesTable } from './chart-values.ts';
import { logTables, metricsTable } from './telemetry-docs.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string;
  /** The whole text, given the one that is there (empty: none is). */
  text(current: string): string;
}

export const GENERATED_FILES: readonly GeneratedFile[] = [
  { path: 'config/schema.json', text: configSchemaText },
  { path: 'charts/slipstream/values.schema.json', text: chartValuesText },
  { path: 'charts/slipstream/dashboards/slipstream-objectives.json', text: objectivesDashboardText },
  { path: 'charts/slipstream/dashboards/slipstream-self.json', text: selfDashboardText },
  copied('config/argo-rollouts/cluster-analysis-template.yaml', 'charts/slipstream/files/argo-rollouts/cluster-analysis-template.yaml'),
  copied(
    'config/argo-rollouts/prometheus-analysis-template.yaml',
    'charts/slipstream/files/argo-rollouts/prometheus-analysis-template.yaml',
  ),
  copied('config/flagger/metric-templates.yaml', 'charts/slipstream/files/flagger/metric-templates.yaml'),
  { path: 'charts/slipstream/README.md', text: (current) => withSection(current, 'values', chartValuesTable()) },
  { path: 'README.md', text: (current) => withSection(current, 'metrics', metricsTable()) },
  { path: 'docs/log-lines.md', text: (current) => withSection(current, 'log-lines', logTables()) },
];

/** A chart reads no file outside of it. */
function copied(from: string, path: string): GeneratedFile {
  return { path, text: () => readFileSync(join(ROOT, from), 'utf8') };
}

/** The text with what stands between the markers `<!-- NAME:begin -->` and `<!-- NAME:end -->` replaced. Throws where they are missing. */
export function withSection(text: string, name: string, section: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the markers ${begin} and ${end} are missing`);
  return `${text.slice(0, from + begin.length)}\n${section.trim()}\n${text.slice(to)}`;
}
