/** Requests of Spinnaker and of clients of Kayenta, one at least for each operation: path, as described, request, status. */
import { executionId } from '../../src/api/kayenta/execution-id.ts';

type Asked = [string, string, RequestInit, number];

const post = (body: unknown): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

const deployment = (service: string) => ({ deploymentId: '01H', oldServerGroup: 'a-v1', newServerGroup: 'a-v2', parameters: { service } });
const stage = (service: string, execution?: string) => ({ service, baseline: '1', canary: '2', execution });
const thresholds = { pass: 95, marginal: 75 };
const scopes = { default: { controlScope: { scope: '1' }, experimentScope: { scope: '2' } } };
const analysis = { scopes: [{ controlScope: '1', experimentScope: '2' }], thresholds, lifetimeDurationMins: 5 };
const values = { control: [1, 2], experiment: [1, 'NaN'] };
const judged = { canaryConfig: { metrics: [{ name: 'm' }] }, scoreThresholds: thresholds, metricSetPairList: [{ name: 'm', values }] };

/** Of the harmed run r-1, in its third generation. */
const EXECUTION = executionId({ runId: 'r-1', generation: 3, thresholds, end: null }, { token: null });

const MONITOR = '/spinnaker/v1/deployment';
const ANALYSES = '/spinnaker/v1/analyses';
const KAYENTA = '/kayenta';
const STANDALONE = `${KAYENTA}/standalone_canary_analysis`;

export const KAYENTA_REQUESTS: readonly Asked[] = [
  ...['starting', 'evaluateHealth', 'completed'].flatMap((call): Asked[] => [
    [`${MONITOR}/${call}`, `${MONITOR}/${call}`, post(deployment('monitored')), 200],
    [`${MONITOR}/${call}`, `${MONITOR}/${call}`, post({}), 400],
  ]),
  [`${MONITOR}/starting`, `${MONITOR}/starting`, post({ ...deployment('excluded'), deploymentId: '02H' }), 422],
  [ANALYSES, ANALYSES, post(stage('staged', 'e')), 201],
  [ANALYSES, ANALYSES, post(stage('staged', 'e')), 200],
  [ANALYSES, ANALYSES, post(stage('excluded')), 422],
  [ANALYSES, ANALYSES, post(stage('draining')), 503],
  [`${ANALYSES}/r-1`, `${ANALYSES}/{id}`, {}, 200],
  [`${ANALYSES}/none`, `${ANALYSES}/{id}`, {}, 404],
  [`${ANALYSES}/none`, `${ANALYSES}/{id}`, { method: 'DELETE' }, 404],
  [`${ANALYSES}/none/cancel`, `${ANALYSES}/{id}/cancel`, { method: 'POST' }, 404],
  [`${KAYENTA}/canaryConfig?application=web`, `${KAYENTA}/canaryConfig`, {}, 200],
  [`${KAYENTA}/credentials`, `${KAYENTA}/credentials`, {}, 200],
  [`${KAYENTA}/canary/compared?application=web`, `${KAYENTA}/canary/{id}`, post({ scopes, thresholds }), 200],
  [`${KAYENTA}/canary/draining`, `${KAYENTA}/canary/{id}`, post({ scopes, thresholds }), 503],
  [`${KAYENTA}/canary/~`, `${KAYENTA}/canary/{id}`, post({ scopes, thresholds }), 404],
  [`${KAYENTA}/canary/${EXECUTION}`, `${KAYENTA}/canary/{id}`, {}, 200],
  [`${KAYENTA}/canary/none`, `${KAYENTA}/canary/{id}`, {}, 404],
  [`${KAYENTA}/pipelines/none/cancel`, `${KAYENTA}/pipelines/{id}/cancel`, { method: 'PUT' }, 404],
  [STANDALONE, STANDALONE, post({ canaryConfig: { name: 'alone' }, executionRequest: analysis }), 200],
  [`${STANDALONE}/alone`, `${STANDALONE}/{id}`, post(analysis), 200],
  [`${STANDALONE}/${EXECUTION}`, `${STANDALONE}/{id}`, {}, 200],
  [`${KAYENTA}/judge`, `${KAYENTA}/judge`, post(judged), 200],
  [`${KAYENTA}/judge`, `${KAYENTA}/judge`, post({}), 400],
];
