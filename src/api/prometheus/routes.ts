/** Routes for what speaks to Prometheus: deploy systems that measure, and dashboards. */
import { json, type Route } from '../route.ts';
import * as schemas from './prometheus-schemas.ts';

const FORM = 'application/x-www-form-urlencoded';
const PROBLEMS = {
  400: json('The request or its PromQL is wrong, or of a kind that is not answered; the text says where.', schemas.queryProblem),
  422: json('Understood, but there is no exact answer, or it would be too much.', schemas.queryProblem),
  503: json('Timed out, or too many queries at once.', schemas.queryProblem),
};
const answers = (description: string, schema: Parameters<typeof json>[1]) => ({ 200: json(description, schema), ...PROBLEMS });

const instant = { path: '/api/v1/query', responses: answers('A vector or a scalar.', schemas.queryAnswer) } as const;
const range = { path: '/api/v1/query_range', responses: answers('A matrix.', schemas.queryAnswer) } as const;
const series = { path: '/api/v1/series', responses: answers('Label sets, without `le`.', schemas.seriesAnswer) } as const;
const labels = { path: '/api/v1/labels', responses: answers('Names.', schemas.textsAnswer) } as const;
const AS_FORM = 'The same with its parameters as a form.';

export const prometheusRoutes = {
  metricQuery: { method: 'GET', ...instant, summary: 'PromQL at one moment.', query: schemas.instantQuery },
  metricQueryForm: { method: 'POST', ...instant, summary: AS_FORM, body: schemas.instantQuery, bodyType: FORM },
  metricRange: { method: 'GET', ...range, summary: 'PromQL at one moment after the other.', query: schemas.rangeQuery },
  metricRangeForm: { method: 'POST', ...range, summary: AS_FORM, body: schemas.rangeQuery, bodyType: FORM },
  metricSeries: { method: 'GET', ...series, summary: 'Series that selectors mean.', query: schemas.seriesQuery },
  metricSeriesForm: { method: 'POST', ...series, summary: AS_FORM, body: schemas.seriesQuery, bodyType: FORM },
  metricLabels: { method: 'GET', ...labels, summary: 'Names of labels.', query: schemas.seriesQuery },
  metricLabelsForm: { method: 'POST', ...labels, summary: AS_FORM, body: schemas.seriesQuery, bodyType: FORM },
  metricLabelValues: {
    method: 'GET',
    path: '/api/v1/label/{name}/values',
    summary: 'Values of a label.',
    query: schemas.seriesQuery,
    responses: answers('Values.', schemas.textsAnswer),
  },
  metricMetadata: {
    method: 'GET',
    path: '/api/v1/metadata',
    summary: 'What the metrics mean.',
    query: schemas.metadataQuery,
    responses: { 200: json('Types and help by name.', schemas.metadataAnswer) },
  },
  metricBuildInfo: {
    method: 'GET',
    path: '/api/v1/status/buildinfo',
    summary: 'Who answers: `version` is that of the Prometheus API spoken here, `revision` that of Slipstream.',
    responses: { 200: json('What is known.', schemas.buildAnswer) },
  },
} as const satisfies Record<string, Route>;
