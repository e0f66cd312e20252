/** Routes for what speaks to Kayenta. */
import { json, problem, type Route } from '../route.ts';
import * as answers from './answer-schemas.ts';
import { judgeAnswer, judgeRequest } from './judge-schemas.ts';
import { canaryQuery, canaryRequest, executionRequest, standaloneRequest } from './schemas.ts';

/** Orca calls without credentials and Argo Rollouts with those of the address, so responders look for the token in both. */
const STARTS = { method: 'POST', mutates: true, tokenInBody: true } as const;
const REFUSALS = {
  404: problem('No such configuration.'),
  409: problem('A newer generation of the service is known.'),
  422: problem('Understood, but cannot be judged.'),
  503: problem('Not now; Retry-After says when.'),
};

export const kayentaRoutes = {
  canaryConfigs: {
    method: 'GET',
    path: '/kayenta/canaryConfig',
    summary: 'As Kayenta: one configuration for every known service, which is judged by its policy.',
    query: canaryQuery,
    responses: { 200: json('All of them.', answers.canaryConfigs) },
  },
  kayentaCredentials: {
    method: 'GET',
    path: '/kayenta/credentials',
    summary: 'As Kayenta: the one account there is.',
    responses: { 200: json('All of them.', answers.credentials) },
  },
  startCanary: {
    ...STARTS,
    path: '/kayenta/canary/{id}',
    summary: 'As Kayenta: compare the releases that the scopes name. A pipeline that asks again goes on with the same analysis.',
    query: canaryQuery,
    body: canaryRequest,
    responses: { 200: json('Where to ask.', answers.created), ...REFUSALS },
  },
  canary: {
    method: 'GET',
    path: '/kayenta/canary/{id}',
    summary:
      'As Kayenta: not complete while it goes on; then 100 for proven health, 0 for proven harm, between the thresholds for neither.',
    responses: { 200: json('As it stands.', answers.canaryAnswer), 404: problem('No such execution.') },
  },
  cancelCanary: {
    method: 'PUT',
    path: '/kayenta/pipelines/{id}/cancel',
    summary: 'As Kayenta: stop an execution. Nothing is rolled back or promoted. Who was given the id may do so.',
    mutates: true,
    tokenInBody: true,
    responses: {
      200: json('As it ended.', answers.cancelled),
      404: problem('No such execution.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
  startStandalone: {
    ...STARTS,
    path: '/kayenta/standalone_canary_analysis',
    summary: 'As a Kayenta that stands alone: analyse the service that the configuration is named after.',
    body: standaloneRequest,
    responses: { 200: json('Where to ask.', answers.standaloneCreated), ...REFUSALS },
  },
  startStandaloneOfConfig: {
    ...STARTS,
    path: '/kayenta/standalone_canary_analysis/{id}',
    summary: 'As a Kayenta that stands alone: analyse by a configuration of the list.',
    body: executionRequest,
    responses: { 200: json('Where to ask.', answers.standaloneCreated), ...REFUSALS },
  },
  standaloneAnalysis: {
    method: 'GET',
    path: '/kayenta/standalone_canary_analysis/{id}',
    summary: 'As a Kayenta that stands alone: how the analysis stands.',
    responses: { 200: json('As it stands.', answers.standaloneAnswer), 404: problem('No such execution.') },
  },
  judgeSeries: {
    method: 'POST',
    path: '/kayenta/judge',
    summary: 'Remote judge of Kayenta: judges values per step that it is given. It changes nothing and knows nothing of spans.',
    body: judgeRequest,
    responses: { 200: json('Metric by metric, and the score.', judgeAnswer), 503: problem('Not now; Retry-After says when.') },
  },
} as const satisfies Record<string, Route>;
