/** Says what an objective counts as an OpenSLO indicator over spans. */
import type { Objective } from '../../model/objective.ts';
import type { AttributeRule } from '../../model/span-rules.ts';
import { latencyIn, rateIn } from './native-text.ts';
import { namesEndpoint } from './span-source.ts';

export interface ExportedSli {
  /** Of an SLI. */
  readonly spec: object;
  /** `op` and `value` of a threshold, nothing of a ratio. */
  readonly limit: { readonly op?: 'lte' | 'gte'; readonly value?: number };
}

const HTTP_ENDPOINT = /^([A-Z]+) (\/[^*\s]*)$/;
const STATUS_CODE = 'http.response.status_code';

/** `dataSource` is the name of the object that stands for spans. */
export function exportedSli({ sli, endpoint }: Objective, dataSource: string): ExportedSli {
  const metric = (spec: object): object => ({ metricSource: { metricSourceRef: dataSource, spec } });
  const threshold = (spec: object): object => ({ thresholdMetric: metric({ ...selection(endpoint, {}), ...spec }) });
  switch (sli.kind) {
    case 'latency': {
      const { value, unit } = latencyIn(sli.thresholdNs);
      return { spec: threshold({ field: 'duration', unit }), limit: { op: 'lte', value } };
    }
    case 'throughput': {
      const { value, unit } = rateIn(sli.perSecond);
      return { spec: threshold({ field: 'throughput', unit }), limit: { op: sli.bound === 'least' ? 'gte' : 'lte', value } };
    }
    case 'inFlight':
      return { spec: threshold({ field: 'inFlight' }), limit: { op: 'lte', value: sli.limit } };
    case 'availability':
    case 'errorRate':
      return { spec: ratio(selection(endpoint, {}), 'serverError', metric), limit: {} };
    case 'events': {
      const { where, bad } = sli.rule;
      const rules = bad.map(written);
      return { spec: ratio(selection(endpoint, where ?? {}), rules.length === 1 ? rules[0] : rules, metric), limit: {} };
    }
    default:
      return sli satisfies never;
  }
}

function ratio(selected: object, bad: unknown, metric: (spec: object) => object): object {
  // A source that is asked nothing is none to the SDK.
  const total = Object.keys(selected).length === 0 ? { scope: 'service' } : selected;
  return { ratioMetric: { bad: metric({ ...selected, bad }), total: metric(total) } };
}

function selection(endpoint: string | null, where: AttributeRule): object {
  const attributes = Object.keys(where).length === 0 ? {} : { where: written(where) };
  if (endpoint === null) return namesEndpoint(where) ? { scope: 'service', ...attributes } : attributes;
  const http = HTTP_ENDPOINT.exec(endpoint);
  if (http === null || namesEndpoint(where)) return { endpoint, ...attributes };
  return { where: { 'http.request.method': http[1], 'http.route': http[2], ...written(where) } };
}

/** One value without its list, and whole classes of codes by their name. */
function written(rule: AttributeRule): Readonly<Record<string, string | readonly string[]>> {
  const entries = Object.entries(rule).map(([name, values]) => {
    const short = name === STATUS_CODE ? withClasses(values) : values;
    return [name, short.length === 1 ? (short[0] ?? '') : short] as const;
  });
  return Object.fromEntries(entries);
}

/** 500 to 599 is `5xx`. */
function withClasses(codes: readonly string[]): readonly string[] {
  const given = new Set(codes);
  const whole = [1, 2, 3, 4, 5].filter((digit) =>
    Array.from({ length: 100 }, (_, rest) => `${digit * 100 + rest}`).every((code) => given.has(code)),
  );
  const singles = codes.filter((code) => code.length !== 3 || !whole.includes(Number(code.charAt(0))));
  return [...singles, ...whole.map((digit) => `${digit}xx`)];
}
