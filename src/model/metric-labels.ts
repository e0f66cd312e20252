/** What a series is called in a metric: its labels, by the table of metrics. */
import type { LabelSource, SlotFamily } from './metric-table.ts';
import type { SeriesInfo } from './series.ts';

/** Without empty values: to Prometheus a label without a value is one that is not there. */
export function metricLabels(info: SeriesInfo, family: SlotFamily): Map<string, string> {
  const labels = new Map<string, string>();
  for (const [attribute, value] of info.release.attributes) if (value !== '') labels.set(labelName(attribute), value);
  for (const [name, source] of Object.entries(family.labels)) {
    const value = labelValue(info, source);
    if (value === '') labels.delete(name);
    else labels.set(name, value);
  }
  return labels;
}

/** An attribute's name in the letters that names of labels may have: `service.version` is `service_version`. */
export function labelName(attribute: string): string {
  const name = attribute.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

function labelValue({ service, endpoint, release }: SeriesInfo, source: LabelSource): string {
  const slash = service.indexOf('/');
  switch (source) {
    case 'service':
      return service;
    case 'service_name':
      return unescaped(service.slice(slash + 1));
    case 'service_namespace':
      return slash < 0 ? '' : unescaped(service.slice(0, slash));
    case 'endpoint':
      return endpoint;
    case 'method':
      return endpoint.includes(' ') ? endpoint.slice(0, endpoint.indexOf(' ')) : endpoint;
    case 'route':
      return endpoint.includes(' ') ? endpoint.slice(endpoint.indexOf(' ') + 1) : '';
    case 'release':
      return release.name;
    default:
      return source satisfies never;
  }
}

function unescaped(name: string): string {
  return name.replaceAll('%2F', '/');
}
