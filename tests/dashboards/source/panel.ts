/** Panels of a Grafana dashboard, as Grafana 10 and newer read them. */

/** Every query goes to the data source that the reader picked. */
export const DATASOURCE = { type: 'prometheus', uid: '$datasource' } as const;

export interface Query {
  readonly expr: string;
  /** Text of the legend, with `{{label}}`; of a table's column its name. */
  readonly name: string;
}

/** Units by Grafana's names. */
export type Unit = 'short' | 'none' | 'percentunit' | 'reqps' | 'ops' | 's' | 'bytes' | 'Bps' | 'dateTimeFromNow';

/** From a value on, a colour. The first step has none. */
export type Steps = readonly { readonly from: number | null; readonly color: 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'text' }[];

interface Common {
  readonly title: string;
  /** What the reader sees, and what to make of it. */
  readonly description: string;
  /** Of 24 columns. */
  readonly width: number;
  readonly height?: number;
  readonly queries: readonly Query[];
  readonly unit: Unit;
}

export interface Mapping {
  readonly value: number;
  readonly text: string;
  readonly color: string;
}

export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly json: Readonly<Record<string, unknown>>;
}

const HEIGHT = 8;
const CALM: Steps = [{ from: null, color: 'text' }];

export function timeSeries(
  panel: Common & { readonly stacked?: boolean; readonly min?: number; readonly max?: number; readonly line?: Steps },
): Panel {
  const custom = {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: panel.stacked === true ? 40 : 8,
    showPoints: 'never',
    spanNulls: false,
    stacking: { mode: panel.stacked === true ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: panel.line === undefined ? 'off' : 'line' },
  };
  return whole('timeseries', panel, {
    fieldConfig: {
      defaults: {
        ...{ unit: panel.unit, color: { mode: 'palette-classic' }, custom, thresholds: thresholds(panel.line ?? CALM) },
        ...(panel.min !== undefined && { min: panel.min }),
        ...(panel.max !== undefined && { max: panel.max }),
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  });
}

export function stat(panel: Common & { readonly steps?: Steps; readonly mappings?: readonly Mapping[] }): Panel {
  return whole('stat', panel, {
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        color: { mode: 'thresholds' },
        thresholds: thresholds(panel.steps ?? CALM),
        mappings: mappings(panel.mappings ?? []),
      },
      overrides: [],
    },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      ...{ colorMode: 'value', graphMode: 'none', justifyMode: 'auto', orientation: 'auto', textMode: 'auto' },
    },
  });
}

/** One row for each value, coloured over time. */
export function stateTimeline(panel: Common & { readonly mappings: readonly Mapping[] }): Panel {
  return whole('state-timeline', panel, {
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        color: { mode: 'thresholds' },
        custom: { lineWidth: 0, fillOpacity: 70 },
        thresholds: thresholds(CALM),
        mappings: mappings(panel.mappings),
      },
      overrides: [],
    },
    options: {
      ...{ mergeValues: true, showValue: 'auto', alignValue: 'left', rowHeight: 0.9 },
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'single', sort: 'none' },
    },
  });
}

/** Of a classic histogram: one query, by `le`. */
export function heatmap(panel: Common & { readonly rate: Unit }): Panel {
  return whole(
    'heatmap',
    panel,
    {
      fieldConfig: { defaults: { custom: { scaleDistribution: { type: 'linear' } } }, overrides: [] },
      options: {
        ...{ calculate: false, cellGap: 1, showValue: 'never' },
        cellValues: { unit: panel.rate },
        color: { mode: 'scheme', scheme: 'Oranges', fill: 'dark-orange', scale: 'exponential', exponent: 0.5, reverse: false, steps: 64 },
        exemplars: { color: 'rgba(255,0,255,0.7)' },
        filterValues: { le: 1e-9 },
        legend: { show: true },
        rowsFrame: { layout: 'auto' },
        tooltip: { mode: 'single', yHistogram: true, showColorScale: false },
        yAxis: { axisPlacement: 'left', reverse: false, unit: panel.unit },
      },
    },
    'heatmap',
  );
}

/** A column beside those of the labels. */
export interface Column extends Query {
  readonly unit: Unit;
  readonly steps?: Steps;
  readonly mappings?: readonly Mapping[];
  /** Not worth a column: the query is there for its labels. */
  readonly hidden?: boolean;
}

export interface TablePanel extends Omit<Common, 'queries' | 'unit'> {
  /** Queries that agree in some labels: rows with the same are one. */
  readonly columns: readonly Column[];
  /** Labels and what their columns are called, in order. */
  readonly labels: readonly (readonly [label: string, title: string])[];
  readonly sortBy: { readonly column: string; readonly descending: boolean };
}

/** What is true now, one row for each set of labels. */
export function table(panel: TablePanel): Panel {
  const shown = panel.columns.map((column, i) => ({ column, field: panel.columns.length === 1 ? 'Value' : `Value #${refId(i)}` }));
  const names = [
    ...panel.labels,
    ...shown.filter(({ column }) => column.hidden !== true).map(({ column, field }) => [field, column.name] as const),
  ];
  const hidden = ['Time', ...shown.filter(({ column }) => column.hidden === true).map(({ field }) => field)];
  return whole(
    'table',
    { ...panel, queries: panel.columns, unit: 'none' },
    {
      fieldConfig: {
        defaults: {
          custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: true },
          thresholds: thresholds(CALM),
        },
        overrides: shown
          .filter(({ column }) => column.hidden !== true)
          .map(({ column }) => ({
            matcher: { id: 'byName', options: column.name },
            properties: [
              { id: 'unit', value: column.unit },
              ...(column.steps === undefined
                ? []
                : [
                    { id: 'thresholds', value: thresholds(column.steps) },
                    { id: 'custom.cellOptions', value: { type: 'color-text' } },
                  ]),
              ...(column.mappings === undefined ? [] : [{ id: 'mappings', value: mappings(column.mappings) }]),
            ],
          })),
      },
      options: {
        ...{ showHeader: true, cellHeight: 'sm' },
        sortBy: [{ displayName: panel.sortBy.column, desc: panel.sortBy.descending }],
      },
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'organize',
          options: {
            excludeByName: Object.fromEntries(hidden.map((name) => [name, true])),
            indexByName: Object.fromEntries(names.map(([field], index) => [field, index])),
            renameByName: Object.fromEntries(names),
          },
        },
      ],
    },
    'table',
  );
}

/** A headline over the panels that follow. */
export function row(title: string): Panel {
  return { type: 'row', title, width: 24, height: 1, json: { type: 'row', title, collapsed: false, panels: [] } };
}

function whole(type: string, panel: Common, parts: object, format: 'time_series' | 'table' | 'heatmap' = 'time_series'): Panel {
  const { title, description, width, height = HEIGHT, queries } = panel;
  const targets = queries.map(({ expr, name }, index) => ({
    refId: refId(index),
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    format,
    instant: format === 'table',
    range: format !== 'table',
    legendFormat: format === 'heatmap' ? '{{le}}' : name,
  }));
  return { type, title, width, height, json: { type, title, description, datasource: DATASOURCE, targets, ...parts } };
}

function thresholds(steps: Steps): object {
  return { mode: 'absolute', steps: steps.map(({ from, color }) => ({ value: from, color })) };
}

function mappings(of: readonly Mapping[]): object[] {
  const options = Object.fromEntries(of.map(({ value, text, color }, index) => [String(value), { text, color, index }]));
  return of.length === 0 ? [] : [{ type: 'value', options }];
}

function refId(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}
