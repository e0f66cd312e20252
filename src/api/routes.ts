/** The one table of routes: the server registers from it and `/openapi.json` is written from it. */
import { z } from 'zod';
import { controlRoutes } from './control-routes.ts';
import { flaggerRoutes } from './flagger/routes.ts';
import * as gate from './gate-schemas.ts';
import { kayentaRoutes } from './kayenta/routes.ts';
import { outlookQuery } from './outlook-query.ts';
import { prometheusRoutes } from './prometheus/routes.ts';
import { latencyQuery, listQuery, signalsQuery, startRollout, statusQuery } from './request-schemas.ts';
import { json, problem, type Route, text } from './route.ts';
import * as schemas from './schemas.ts';
import { reportOutcome } from './signal-outcome-schema.ts';
import { explanationQuery, sloQuery } from './slo-query.ts';
import { sloReport, whatIfReport } from './slo-schemas.ts';
import { spinnakerRoutes } from './spinnaker/routes.ts';
import { verdictRoutes } from './verdict-routes.ts';
import { runQuery } from './wait-query.ts';
import { whatIfQuery } from './what-if-query.ts';

export const ROUTES = {
  ...verdictRoutes,
  ...controlRoutes,
  ...flaggerRoutes,
  ...spinnakerRoutes,
  ...kayentaRoutes,
  ...prometheusRoutes,
  directory: {
    method: 'GET',
    path: '/',
    summary: 'What there is to look at.',
    responses: { 200: json('Where to look.', schemas.directory) },
  },
  startRollout: {
    method: 'POST',
    path: '/v1/rollouts',
    summary: 'Start judging a rollout. Sending the same again is safe.',
    mutates: true,
    body: startRollout,
    responses: {
      200: json('This rollout and generation is being judged already; nothing but `canaryShare` was changed.', schemas.explainedRun),
      201: json('Judging has begun; Location names the run.', schemas.explainedRun),
      409: problem('A newer generation of the rollout or service is known.'),
      422: problem('Understood, but cannot be judged.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
  listRollouts: {
    method: 'GET',
    path: '/v1/rollouts',
    summary: 'Rollouts and their verdicts, newest first.',
    query: listQuery,
    responses: { 200: json('The newest rollouts and how many there are.', schemas.runList) },
  },
  rollout: {
    method: 'GET',
    path: '/v1/rollouts/{id}',
    summary: 'One rollout: verdict, evidence of each check, history, and all of it in words; with `wait`, once there is a verdict.',
    query: runQuery,
    responses: { 200: json('The run.', schemas.explainedRun), 404: problem('No such rollout.') },
  },
  explanation: {
    method: 'GET',
    path: '/v1/rollouts/{id}/explanation',
    summary: 'Why the rollout is judged as it is, on one page for people.',
    responses: { 200: text('At most 60 lines.', 'text/plain; charset=utf-8'), 404: problem('No such rollout.') },
  },
  abortRollout: {
    method: 'DELETE',
    path: '/v1/rollouts/{id}',
    summary: 'Stop judging. Nothing is rolled back or promoted. A rollout that is over stays as it is.',
    mutates: true,
    responses: {
      200: json('The run as it ended.', schemas.explainedRun),
      404: problem('No such rollout.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
  status: {
    method: 'GET',
    path: '/v1/status',
    summary: 'Every endpoint in every release with rate, errors and latency; objectives with their budgets; runs.',
    query: statusQuery,
    responses: { 200: json('The status now.', schemas.status) },
  },
  latency: {
    method: 'GET',
    path: '/v1/latency',
    summary: 'The latency distribution of one endpoint: quantiles, buckets, and an HdrHistogram for other tools.',
    query: latencyQuery,
    responses: { 200: json('The distribution.', schemas.latency), 404: problem('The service has no such endpoint or release.') },
  },
  outlook: {
    method: 'GET',
    path: '/v1/outlook',
    summary: 'What a canary with this share of the traffic could show, and how soon, before it is rolled out.',
    query: outlookQuery,
    responses: { 200: json('The outlook.', schemas.outlookReport), 404: problem('The service had no traffic in the last 15 minutes.') },
  },
  slo: {
    method: 'GET',
    path: '/v1/slo',
    summary: 'Objectives: counts, signed budgets, alerts, forecasts, who spent what, incidents; worst first.',
    query: sloQuery,
    responses: { 200: json('The report now.', sloReport) },
  },
  sloExplanation: {
    method: 'GET',
    path: '/v1/slo/explanation',
    summary: 'Why an objective stands as it does, with the arithmetic, on one page for people.',
    query: explanationQuery,
    responses: { 200: text('At most 60 lines.', 'text/plain; charset=utf-8'), 404: problem('No such objective.') },
  },
  whatIf: {
    method: 'GET',
    path: '/v1/what-if',
    summary: 'What an objective would say that was never declared, from exact counts or stored histograms.',
    query: whatIfQuery,
    responses: {
      200: json('The answer; an interval where the limit lies inside a bucket.', whatIfReport),
      404: problem('No such endpoint.'),
    },
  },
  gate: {
    method: 'GET',
    path: '/v1/gate',
    summary: 'May a new release of the service go out? From budgets, alerts, rollouts, trends and load tests.',
    query: gate.gateQuery,
    responses: { 200: json('The answer, whichever it is, and why.', gate.gateReport) },
  },
  overrideGate: {
    method: 'POST',
    path: '/v1/gate/overrides',
    summary: 'Let deploys of the service go out for a while although the gate would refuse. It ends one that is in force.',
    mutates: true,
    body: gate.startOverride,
    responses: { 201: json('It is in force and kept.', gate.overrideEntry), 503: problem('Not now; Retry-After says when.') },
  },
  gateOverrides: {
    method: 'GET',
    path: '/v1/gate/overrides',
    summary: 'Who overrode the gate, why and until when; those that are over stay.',
    query: gate.overrideQuery,
    responses: { 200: json('Newest first.', gate.overrideList) },
  },
  endGateOverride: {
    method: 'DELETE',
    path: '/v1/gate/overrides',
    summary: 'End the override of the service that is in force.',
    mutates: true,
    query: gate.endOverrideQuery,
    responses: {
      200: json('As it ended.', gate.overrideEntry),
      404: problem('None is in force.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
  addLoadTest: {
    method: 'POST',
    path: '/v1/gate/load-tests',
    summary: 'Tell the gate how a load test of a candidate went. The newest one of a service counts.',
    mutates: true,
    body: gate.newLoadTest,
    responses: { 201: json('It is kept.', gate.loadTest), 503: problem('Not now; Retry-After says when.') },
  },
  signals: {
    method: 'GET',
    path: '/v1/signals',
    summary: 'Signals and how their delivery went, newest first.',
    query: signalsQuery,
    responses: { 200: json('One entry per signal and sink.', schemas.signalList) },
  },
  signal: {
    method: 'GET',
    path: '/v1/signals/{id}',
    summary: 'One signal and how its delivery to each sink went.',
    responses: { 200: json('One entry per sink.', schemas.signalList), 404: problem('No such signal.') },
  },
  reportOutcome: {
    method: 'POST',
    path: '/v1/signals/{id}/outcome',
    summary: 'Say what became of a signal that was taken. Saying the same again is safe.',
    mutates: true,
    body: reportOutcome,
    responses: {
      200: json('It is kept. One entry per sink.', schemas.signalList),
      404: problem('No such signal, or it went to no such sink.'),
      409: problem('Nobody waits to be told, or the delivery is over already.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
  health: { method: 'GET', path: '/healthz', summary: 'Is the process alive?', responses: { 200: json('It is.', schemas.health) } },
  readiness: {
    method: 'GET',
    path: '/readyz',
    summary: 'Does it take spans and judge?',
    responses: { 200: json('It does.', schemas.readiness), 503: json('Not yet or no more, and why.', schemas.readiness) },
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'What Slipstream says about itself, for Prometheus.',
    responses: { 200: text('Text format 0.0.4.', 'text/plain; version=0.0.4; charset=utf-8') },
  },
  version: { method: 'GET', path: '/version', summary: 'Which version runs.', responses: { 200: json('The version.', schemas.version) } },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document.',
    responses: { 200: json('OpenAPI 3.1.', z.looseObject({ openapi: z.literal('3.1.0') })) },
  },
} as const satisfies Record<string, Route>;

export type RouteId = keyof typeof ROUTES;
