/** Routes for Spinnaker's deployment monitor and webhook stage. */
import { json, problem, type Route } from '../route.ts';
import { analysis, startAnalysis } from './analysis-schemas.ts';
import { completedAnswer, completedRequest, evaluateHealthRequest, monitorAnswer, monitorRequest } from './monitor-schemas.ts';

/** Orca calls monitors without credentials, so the token may be among the parameters of the stage. */
const MONITOR = { method: 'POST', mutates: true, tokenInBody: true } as const;
const ANALYSIS = '/spinnaker/v1/analyses';

export const spinnakerRoutes = {
  monitorStarting: {
    ...MONITOR,
    path: '/spinnaker/v1/deployment/starting',
    summary: 'Deployment monitor of Spinnaker: a deployment begins, and so does its judging.',
    body: monitorRequest,
    responses: { 200: json('What to do next.', monitorAnswer), 422: problem('Understood, but cannot be judged.') },
  },
  monitorEvaluateHealth: {
    ...MONITOR,
    path: '/spinnaker/v1/deployment/evaluateHealth',
    summary: 'Deployment monitor of Spinnaker: may the next step follow? Abort only on a proven rollback, wait while nothing is proven.',
    body: evaluateHealthRequest,
    responses: { 200: json('What to do next.', monitorAnswer), 422: problem('Understood, but cannot be judged.') },
  },
  monitorCompleted: {
    ...MONITOR,
    path: '/spinnaker/v1/deployment/completed',
    summary: 'Deployment monitor of Spinnaker: the deployment is over, and so is its judging; a bake goes on unless it was rolled back.',
    body: completedRequest,
    responses: { 200: json('Noted.', completedAnswer), 503: problem('Not now; Retry-After says when.') },
  },
  startAnalysis: {
    method: 'POST',
    path: ANALYSIS,
    summary: 'Webhook stage of Spinnaker: start an analysis. Location is the address to poll.',
    mutates: true,
    body: startAnalysis,
    responses: {
      200: json('This stage of this execution is known already.', analysis),
      201: json('Judging has begun, or goes on; Location names it.', analysis),
      409: problem('A newer rollout of the service is known.'),
      422: problem('Understood, but cannot be judged.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
  analysis: {
    method: 'GET',
    path: `${ANALYSIS}/{id}`,
    summary: 'Status of an analysis, for webhook stages.',
    responses: { 200: json('As it stands.', analysis), 404: problem('No such analysis.') },
  },
  cancelAnalysis: {
    method: 'DELETE',
    path: `${ANALYSIS}/{id}`,
    summary: 'Stop an analysis. Nothing is rolled back or promoted.',
    mutates: true,
    responses: {
      200: json('As it ended.', analysis),
      404: problem('No such analysis.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
  cancelAnalysisByPost: {
    method: 'POST',
    path: `${ANALYSIS}/{id}/cancel`,
    summary: 'The same for callers that can only POST.',
    mutates: true,
    responses: {
      200: json('As it ended.', analysis),
      404: problem('No such analysis.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
} as const satisfies Record<string, Route>;
