/** The OpenAPI 3.1 document, written from the route table and its zod schemas. */
import { z } from 'zod';
import { breakerReport, holdList, newHold } from './control-schemas.ts';
import { flaggerHook } from './flagger/payload.ts';
import { gateReport, newLoadTest, overrideList, startOverride } from './gate-schemas.ts';
import { startRollout } from './request-schemas.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';
import * as schemas from './schemas.ts';
import { reportOutcome } from './signal-outcome-schema.ts';
import { objectiveReport, sloReport, whatIfReport } from './slo-schemas.ts';
import { pulledVerdict, verdictRequest } from './verdict-schemas.ts';

/** Schemas that get a name in the document, so that generated clients have types to speak of. */
const NAMED: Readonly<Record<string, z.ZodType>> = {
  StartRollout: startRollout,
  Run: schemas.run,
  ExplainedRun: schemas.explainedRun,
  RunList: schemas.runList,
  Judgement: schemas.judgement,
  Verdict: schemas.verdict,
  VerdictRequest: verdictRequest,
  PulledVerdict: pulledVerdict,
  FlaggerHook: flaggerHook,
  Status: schemas.status,
  Outlook: schemas.outlookReport,
  ObjectiveReport: objectiveReport,
  SloReport: sloReport,
  WhatIf: whatIfReport,
  Gate: gateReport,
  StartOverride: startOverride,
  OverrideList: overrideList,
  NewLoadTest: newLoadTest,
  HoldBack: newHold,
  HoldList: holdList,
  Breaker: breakerReport,
  SignalList: schemas.signalList,
  ReportOutcome: reportOutcome,
  Readiness: schemas.readiness,
  Problem: schemas.problem,
};

type Json = Record<string, unknown>;

/** What any request may meet; changes may meet more. */
const COMMON_PROBLEMS: Readonly<Record<number, string>> = {
  421: 'The Host header names another machine than this loopback address.',
  500: 'A defect of ours; the log has it.',
};
const CHANGE_PROBLEMS: Readonly<Record<number, string>> = {
  401: 'No valid bearer token.',
  403: 'Changes are not allowed from there.',
};
const BODY_PROBLEMS: Readonly<Record<number, string>> = {
  413: 'The body is larger than 1 MiB.',
  415: 'The body is not of the type that is asked for.',
};

export function openApiDocument(version: string): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const named = z.toJSONSchema(registry, { io: 'input', uri: (id) => `#/components/schemas/${id}` }).schemas;
  const paths: Record<string, Json> = {};
  for (const [operationId, route] of Object.entries(ROUTES)) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(operationId, route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Slipstream', version, description: 'Verdicts on rollouts, from spans. Numbers that are not finite are null.' },
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(named).map(([id, schema]) => [id, bare(schema as Json)])),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Asked for changes when api.token is configured.' } },
    },
  };
}

function operation(operationId: string, route: Route): Json {
  const checks = route.query !== undefined || route.body !== undefined;
  const problems = {
    ...(checks ? { 400: 'The request is wrong; errors name the fields.' } : {}),
    ...(route.mutates === true ? CHANGE_PROBLEMS : {}),
    ...(route.body === undefined ? {} : BODY_PROBLEMS),
    ...COMMON_PROBLEMS,
  };
  const responses: Record<string, Json> = {};
  for (const [status, description] of Object.entries(problems)) responses[status] = { description, content: contentOf(schemas.problem) };
  for (const [status, { description, content }] of Object.entries(route.responses)) {
    responses[status] = {
      description,
      ...(content === undefined
        ? {}
        : { content: 'schema' in content ? contentOf(content.schema) : { [content.type]: { schema: { type: 'string' } } } }),
    };
  }
  return {
    operationId,
    summary: route.summary,
    ...(route.mutates === true ? { security: [{ token: [] }, {}] } : {}),
    parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: contentOf(route.body, route.bodyType) } }),
    responses,
  };
}

function contentOf(schema: z.ZodType, bodyType = 'application/json'): Json {
  const type = schema === schemas.problem ? 'application/problem+json' : bodyType;
  return { [type]: { schema: reference(schema) } };
}

function reference(schema: z.ZodType): Json {
  const name = Object.keys(NAMED).find((id) => NAMED[id] === schema);
  return name === undefined ? bare(z.toJSONSchema(schema, { io: 'input' }) as Json) : { $ref: `#/components/schemas/${name}` };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function queryParameters(query: z.ZodObject | undefined): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' }) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }));
}

/** Without the markers of a document that stands alone. */
function bare(schema: Json): Json {
  const { $schema: _dialect, $id: _id, ...rest } = schema;
  return rest;
}
