/** A whole Grafana dashboard: panels put into their places, and the variables that their queries name. */
import { DATASOURCE, type Panel } from './panel.ts';

/** Values of a label, among what a selector matches; several may be picked, and all are at first. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  readonly selector: string;
  /** Label whose values they are. */
  readonly of: string;
}

export interface DashboardParts {
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly variables: readonly Variable[];
  readonly panels: readonly Panel[];
}

/** The file as Grafana imports it and its sidecar provisions it: without an id or uid, so that it collides with nothing. */
export function dashboardText({ title, description, tags, variables, panels }: DashboardParts): string {
  const dashboard = {
    title,
    description,
    tags,
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    links: [link()],
    annotations: { list: [signals()] },
    templating: { list: [datasource(), ...variables.map(variable)] },
    panels: placed(panels),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** From left to right, and on a new line where one has no room left. */
function placed(panels: readonly Panel[]): object[] {
  let [x, y, lineHeight] = [0, 0, 0];
  return panels.map(({ width: w, height: h, json }, index) => {
    if (x + w > 24) {
      y += lineHeight;
      [x, lineHeight] = [0, 0];
    }
    const gridPos = { x, y, w, h };
    x += w;
    lineHeight = Math.max(lineHeight, h);
    return { id: index + 1, gridPos, ...json };
  });
}

/** To the other dashboards, with the same variables and time. */
function link(): object {
  const looks = { type: 'dashboards', title: 'Slipstream', icon: 'external link', tooltip: '', targetBlank: false, asDropdown: true };
  return { ...looks, tags: ['slipstream'], includeVars: true, keepTime: true };
}

function datasource(): object {
  return { type: 'datasource', name: 'datasource', label: 'Data source', query: 'prometheus', hide: 0, multi: false, includeAll: false };
}

function variable({ name, label, selector, of }: Variable): object {
  const query = `label_values(${selector}, ${of})`;
  return {
    type: 'query',
    ...{ name, label, definition: query, datasource: DATASOURCE },
    query: { query, refId: `${name}-values` },
    ...{ multi: true, includeAll: true, allValue: '.*', current: { selected: true, text: ['All'], value: ['$__all'] } },
    ...{ refresh: 2, sort: 1, hide: 0, regex: '' },
  };
}

/** A line in every graph where a signal was decided. */
function signals(): object {
  return {
    name: 'Signals',
    datasource: DATASOURCE,
    enable: true,
    iconColor: 'red',
    expr: 'sum by (action) (increase(slipstream_signals_total{job=~"$job"}[$__rate_interval])) > 0',
    step: '30s',
    titleFormat: 'signal: {{action}}',
  };
}
