/** Answers what speaks to Prometheus, in its words and statuses. */
import type { Context } from 'hono';
import type { EpochMs } from '../../model/time.ts';
import { problemResponse } from '../problem.ts';
import { boundedText } from '../request-body.ts';
import type { ResponderParts } from '../responder-parts.ts';
import { knownSeries, labelNames, metricMetadata } from './known-series.ts';
import { QueryError } from './query-error.ts';
import { stepsOf, TIMEOUT_MS, timeOf, timeoutOf } from './query-time.ts';
import { type Answer, QueryRunner } from './run-query.ts';

const MAX_BODY_BYTES = 1024 * 1024;
/** Of the API of Prometheus that is spoken here: dashboards decide by it what they may ask for. */
const SPOKEN_VERSION = '2.53.0';

type Parameters = Pick<URLSearchParams, 'get' | 'getAll'>;

export function prometheusResponders({ handlers, now }: ResponderParts) {
  const runner = new QueryRunner(handlers.metricSource);
  const source = handlers.metricSource;

  const instant = async (given: Parameters): Promise<Response> => {
    const at = given.get('time');
    const t = at === null || at === '' ? now() : timeOf('time', at);
    const answer = await runner.run({
      query: required(given, 'query'),
      fromMs: t,
      toMs: t,
      stepMs: 1,
      timeoutMs: timeoutOf(given.get('timeout')),
    });
    return success(instantData(answer, t), answer.warnings);
  };
  const range = async (given: Parameters): Promise<Response> => {
    const steps = stepsOf(required(given, 'start'), required(given, 'end'), required(given, 'step'));
    const answer = await runner.run({ query: required(given, 'query'), ...steps, timeoutMs: timeoutOf(given.get('timeout')) });
    const result = sortedRows(answer).map(({ labels, points }) => ({ metric: labelsJson(labels.labels), values: points.map(point) }));
    return success({ resultType: 'matrix', result }, answer.warnings);
  };
  const known = (matches: readonly string[]) => runner.inTurn(TIMEOUT_MS, () => knownSeries(matches, source, now()));
  const series = async (given: Parameters): Promise<Response> => {
    const matches = given.getAll('match[]');
    if (matches.length === 0) throw new QueryError('bad_data', 'no match[] parameter provided');
    return success((await known(matches)).map(labelsJson));
  };
  const labels = async (given: Parameters): Promise<Response> => {
    const matches = given.getAll('match[]');
    if (matches.length === 0) return success(labelNames(source));
    return success([...new Set((await known(matches)).flatMap((set) => [...set.keys()]))].sort());
  };

  return {
    metricQuery: fromQuery(instant),
    metricQueryForm: fromForm(instant),
    metricRange: fromQuery(range),
    metricRangeForm: fromForm(range),
    metricSeries: fromQuery(series),
    metricSeriesForm: fromForm(series),
    metricLabels: fromQuery(labels),
    metricLabelsForm: fromForm(labels),
    metricLabelValues: (context: Context) =>
      answered(async () => {
        const name = context.req.param('name') ?? '';
        const sets = await known(queryOf(context).getAll('match[]'));
        return success([...new Set(sets.flatMap((set) => set.get(name) ?? []))].sort());
      }),
    metricMetadata: (context: Context) => success(metricMetadata(queryOf(context).get('metric'))),
    metricBuildInfo: () => {
      const { version } = handlers;
      return success({
        version: SPOKEN_VERSION,
        revision: `slipstream-${version}`,
        branch: '',
        buildUser: '',
        buildDate: '',
        goVersion: '',
      });
    },
  };
}

function fromQuery(answer: (given: Parameters) => Response | Promise<Response>) {
  return (context: Context): Promise<Response> => answered(() => answer(queryOf(context)));
}

/** Parameters may stand in the address too; those of the body come first. */
function fromForm(answer: (given: Parameters) => Response | Promise<Response>) {
  return async (context: Context): Promise<Response> => {
    const text = await boundedText(context.req.raw, MAX_BODY_BYTES);
    if (text === null) {
      return problemResponse({ status: 413, title: 'Content too large', detail: `the body is larger than ${MAX_BODY_BYTES} bytes` });
    }
    const given = new URLSearchParams(text);
    for (const [name, value] of queryOf(context)) given.append(name, value);
    return answered(() => answer(given));
  };
}

async function answered(answer: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return Response.json({ status: 'error', errorType: error.type, error: error.message }, { status: error.status });
  }
}

function queryOf(context: Context): URLSearchParams {
  return new URL(context.req.url).searchParams;
}

function required(given: Parameters, name: string): string {
  const value = given.get(name);
  if (value !== null && (value !== '' || name === 'query')) return value;
  throw new QueryError('bad_data', `invalid parameter "${name}": it is missing`);
}

function success(data: unknown, warnings: readonly string[] = []): Response {
  return Response.json({ status: 'success', data, ...(warnings.length === 0 ? {} : { warnings }) });
}

function instantData({ type, rows }: Answer, t: EpochMs) {
  if (type === 'scalar') return { resultType: 'scalar', result: point([t, rows[0]?.points[0]?.[1] ?? Number.NaN]) };
  const result = rows.map(({ labels, points }) => ({ metric: labelsJson(labels.labels), value: point(points[0] ?? [t, Number.NaN]) }));
  return { resultType: 'vector', result };
}

function sortedRows({ rows }: Answer) {
  return rows.toSorted((a, b) => (a.labels.key < b.labels.key ? -1 : 1));
}

function labelsJson(labels: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(labels);
}

/** JSON has no number that is none: values are text. */
function point([t, value]: readonly [EpochMs, number]): [number, string] {
  if (Number.isFinite(value)) return [t / 1000, String(value)];
  return [t / 1000, Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'];
}
