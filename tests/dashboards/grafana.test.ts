/** Dashboards are what Grafana's own types ask for: every field is known, of the right type, and none that is needed is missing. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { TemporaryFolders } from '../store/temporary-folder.ts';
import { describeWithTools } from '../tools/describe-with-tools.ts';
import { GRAFANA_SCHEMA, grafanaTypesIn } from '../tools/grafana-schema.ts';
import { DASHBOARDS, type DashboardFile } from './rig/dashboard-files.ts';

const run = promisify(execFile);
const TSC = join(import.meta.dirname, '../../node_modules/.bin/tsc');
const OPTIONS = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler'];
/** Names of panels in the package, by those in dashboards. */
const PANELS = { timeseries: 'timeseries', stat: 'stat', 'state-timeline': 'statetimeline', heatmap: 'heatmap', table: 'table' } as const;
/** What JSON can say of Grafana's types: values of enums are strings. */
const PLAIN = `type Plain<T> = T extends string ? \`\${T}\` : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;`;

describeWithTools('Grafana', [GRAFANA_SCHEMA], (directory) => {
  const folders = new TemporaryFolders();
  afterAll(() => folders.clean());

  /** What the compiler says of these constants of Grafana's types; empty: nothing. */
  async function complaints(constants: readonly string[]): Promise<string> {
    const types = directory(GRAFANA_SCHEMA);
    const imports = [
      `import type * as dashboard from '${grafanaTypesIn(types, 'dashboard')}';`,
      ...Object.values(PANELS).map((panel) => `import type * as ${panel} from '${grafanaTypesIn(types, { panel })}';`),
    ];
    const file = join(folders.make(), 'dashboards.ts');
    const lines = constants.map((constant, i) => `export const it${i}: ${constant};`);
    writeFileSync(file, [...imports, PLAIN, ...lines].join('\n'));
    return run(TSC, [...OPTIONS, file]).then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    );
  }

  it.each(DASHBOARDS)('takes $file', async (file) => {
    expect(await complaints(constantsOf(file))).toBe('');
  });

  it('takes no panel with a field or value that it does not know, or without one that it needs', async () => {
    expect(await complaints([`Partial<Plain<stat.Options>> = { colorMood: 'value' }`])).toContain('colorMood');
    expect(await complaints([`Partial<Plain<stat.Options>> = { colorMode: 'loud' }`])).toContain('loud');
    expect(await complaints(["Plain<dashboard.Dashboard> = { title: 'no version' }"])).toContain('schemaVersion');
  });
});

/** The dashboard without its panels, then each of them: its frame, its options, and what it adds to fields. */
function constantsOf({ dashboard: { panels, templating, annotations, ...rest } }: DashboardFile): string[] {
  // What the data source's plugin adds is none of the dashboard's.
  const variables = templating.list.map(({ definition: _, ...variable }) => variable);
  const queries = annotations.list.map(({ name, ...query }) => ({ name, ...withoutQuery(query) }));
  const frame = { ...rest, templating: { list: variables }, annotations: { list: queries } };
  return [
    `Plain<Omit<dashboard.Dashboard, 'panels'>> = ${JSON.stringify(frame)}`,
    ...panels.flatMap((panel) => {
      if (panel.type === 'row') return [`Plain<dashboard.RowPanel> = ${JSON.stringify(panel)}`];
      const { targets: _, ...shown } = panel;
      const kind = PANELS[panel.type as keyof typeof PANELS];
      const custom = panel.fieldConfig?.defaults.custom;
      return [
        `Plain<Omit<dashboard.Panel, 'targets'>> = ${JSON.stringify(shown)}`,
        `Partial<Plain<${kind}.Options>> = ${JSON.stringify(panel.options)}`,
        ...(custom === undefined ? [] : [`Plain<${kind}.FieldConfig> = ${JSON.stringify(custom)}`]),
      ];
    }),
  ];
}

function withoutQuery(query: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(query).filter(([key]) => !['expr', 'step', 'titleFormat'].includes(key)));
}
