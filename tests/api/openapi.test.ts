/** The OpenAPI document and the server say the same. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../src/api/create-api.ts';
import { openApiDocument } from '../../src/api/openapi.ts';
import { KAYENTA_REQUESTS } from './kayenta-requests.ts';
import { harmedRun, MemoryService, NOW } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

type Json = { [key: string]: Json } & { $ref?: string };

const service = new MemoryService();
let api: Api;
let document: Json;
let ajv: Ajv2020;

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return api.fetch(new Request(`http://localhost${path}`, { ...init, headers: { host: 'localhost', ...init.headers } }));
}

/** The document with every object closed: a field that is served and not described becomes an error. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  if (copy.type === 'object' && copy.properties !== undefined && copy.additionalProperties === undefined) copy.additionalProperties = false;
  return copy;
}

beforeAll(async () => {
  api = createApi(service, { host: '127.0.0.1', port: 0, publicUrl: null, token: null }, rememberingTelemetry().telemetry, () => NOW);
  service.put(harmedRun('r-1'));
  document = (await (await ask('/openapi.json')).json()) as Json;
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(closed(document) as object, 'openapi');
});

function validator(path: string, method: string, status: number, type: string): ValidateFunction {
  const pointer = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'];
  const escaped = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
  return ajv.compile({ $ref: `openapi#/${escaped.join('/')}` });
}

const BODY = JSON.stringify({ service: 'shop', generation: 9, baseline: { v: '1' }, canary: { v: '2' } });
const OVERRIDE = JSON.stringify({ service: 'shop', by: 'ana', reason: 'fixes the checkout', for: '2h' });
const OUTCOME = JSON.stringify({ outcome: 'done', by: 'pipeline 7' });
const HOLD = JSON.stringify({ mode: 'hold', by: 'ana', reason: 'database is being moved' });
const RESET = JSON.stringify({ by: 'ana', reason: 'looked at all of it' });
const ASKED = JSON.stringify({ service: 'ask', baseline: { v: '1' }, canary: { v: '2' } });
const HOOK = JSON.stringify({
  name: 'podinfo',
  namespace: 'test',
  phase: 'Progressing',
  checksum: '85d557f47b',
  metadata: { eventMessage: '' },
});
const DRAINING = JSON.stringify({ ...JSON.parse(HOOK), name: 'draining' });
const ENDED = HOOK.replace('Progressing', 'Failed');
const FLAGGER = [
  'confirm-rollout',
  'pre-rollout',
  'rollout',
  'confirm-traffic-increase',
  'gate',
  'confirm-promotion',
  'rollback',
  'post-rollout',
  'event',
  'events',
].map((name) => `/flagger/v1/${name}`);
const LOAD_TEST = JSON.stringify({ service: 'shop', outcome: 'pass', candidate: '1.5.0' });
const FORM = { method: 'POST', body: '', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
const POST = { method: 'POST', body: BODY, headers: { 'content-type': 'application/json' } };

const REQUESTS: readonly [string, string, RequestInit, number][] = [
  ['/', '/', {}, 200],
  ['/v1/rollouts', '/v1/rollouts', POST, 201],
  ['/v1/rollouts', '/v1/rollouts', POST, 200],
  ['/v1/rollouts', '/v1/rollouts', { ...POST, body: BODY.replace('9', '1') }, 409],
  ['/v1/rollouts', '/v1/rollouts', { ...POST, body: '{}' }, 400],
  ['/v1/rollouts', '/v1/rollouts', { ...POST, body: BODY.replace('shop', 'draining') }, 503],
  ['/v1/rollouts', '/v1/rollouts', { ...POST, body: BODY.replace('shop', 'excluded') }, 422],
  ['/v1/rollouts', '/v1/rollouts', { ...POST, body: BODY.replace('shop', 'broken') }, 500],
  ['/v1/rollouts', '/v1/rollouts', { ...POST, headers: { 'content-type': 'text/plain' } }, 415],
  ['/v1/rollouts', '/v1/rollouts', { ...POST, body: 'x'.repeat(1_100_000) }, 413],
  ['/v1/rollouts', '/v1/rollouts', {}, 200],
  ['/v1/rollouts?limit=0', '/v1/rollouts', {}, 400],
  ['/v1/latency?service=shop&endpoint=POST%20/checkout', '/v1/latency', {}, 200],
  ['/v1/latency?service=shop&endpoint=GET%20/', '/v1/latency', {}, 404],
  ['/v1/latency?service=shop', '/v1/latency', {}, 400],
  ['/v1/rollouts/r-1', '/v1/rollouts/{id}', {}, 200],
  ['/v1/rollouts/r-2', '/v1/rollouts/{id}', {}, 404],
  ['/v1/rollouts/r-1/explanation', '/v1/rollouts/{id}/explanation', {}, 200],
  ['/v1/rollouts/r-2/explanation', '/v1/rollouts/{id}/explanation', {}, 404],
  ['/v1/slo', '/v1/slo', {}, 200],
  ['/v1/slo?service=shop&objective=shop:availability', '/v1/slo', {}, 200],
  ['/v1/slo?services=shop', '/v1/slo', {}, 400],
  ['/v1/slo/explanation?objective=shop:availability', '/v1/slo/explanation', {}, 200],
  ['/v1/slo/explanation?objective=nothing', '/v1/slo/explanation', {}, 404],
  ['/v1/slo/explanation', '/v1/slo/explanation', {}, 400],
  ['/v1/what-if?service=shop&objective=p95%3C300ms', '/v1/what-if', {}, 200],
  ['/v1/what-if?service=nobody&objective=99%25', '/v1/what-if', {}, 404],
  ['/v1/what-if?service=shop&objective=fast', '/v1/what-if', {}, 400],
  ['/v1/status', '/v1/status', {}, 200],
  ['/v1/status?window=91d', '/v1/status', {}, 400],
  ['/v1/outlook?service=shop&canaryShare=5%25&within=1h', '/v1/outlook', {}, 200],
  ['/v1/outlook?service=nobody&canaryShare=0.05', '/v1/outlook', {}, 404],
  ['/v1/outlook?service=shop', '/v1/outlook', {}, 400],
  ['/v1/gate?service=shop', '/v1/gate', {}, 200],
  ['/v1/gate', '/v1/gate', {}, 400],
  ['/v1/gate/overrides', '/v1/gate/overrides', { ...POST, body: OVERRIDE }, 201],
  ['/v1/gate/overrides', '/v1/gate/overrides', { ...POST, body: OVERRIDE.replace('2h', '8d') }, 400],
  ['/v1/gate/overrides?service=shop', '/v1/gate/overrides', {}, 200],
  ['/v1/gate/overrides?service=shop&by=ana', '/v1/gate/overrides', { method: 'DELETE' }, 200],
  ['/v1/gate/overrides?service=shop&by=ana', '/v1/gate/overrides', { method: 'DELETE' }, 404],
  ['/v1/gate/load-tests', '/v1/gate/load-tests', { ...POST, body: LOAD_TEST }, 201],
  ['/v1/gate/load-tests', '/v1/gate/load-tests', { ...POST, body: LOAD_TEST.replace('pass', 'good') }, 400],
  ['/v1/overrides', '/v1/overrides', { ...POST, body: HOLD }, 201],
  ['/v1/overrides', '/v1/overrides', { ...POST, body: HOLD.replace('hold', 'stop') }, 400],
  ['/v1/overrides', '/v1/overrides', {}, 200],
  ['/v1/overrides?by=ana', '/v1/overrides', { method: 'DELETE' }, 200],
  ['/v1/overrides?by=ana', '/v1/overrides', { method: 'DELETE' }, 404],
  ['/v1/breaker', '/v1/breaker', {}, 200],
  ['/v1/breaker/reset', '/v1/breaker/reset', { ...POST, body: RESET }, 200],
  ['/v1/breaker/reset', '/v1/breaker/reset', { ...POST, body: '{}' }, 400],
  ['/v1/rollouts/r-1?wait=2h', '/v1/rollouts/{id}', {}, 400],
  ['/v1/verdict?rollout=r-1', '/v1/verdict', {}, 200],
  ['/v1/verdict?service=shop&canary=7', '/v1/verdict', {}, 200],
  ['/v1/verdict?rollout=r-2', '/v1/verdict', {}, 404],
  ['/v1/verdict', '/v1/verdict', {}, 400],
  ['/v1/verdict', '/v1/verdict', { ...POST, body: ASKED }, 200],
  ['/v1/verdict', '/v1/verdict', { ...POST, body: ASKED.replace('ask', 'excluded') }, 422],
  ['/v1/verdict', '/v1/verdict', { ...POST, body: ASKED.replace('ask', 'draining') }, 503],
  ['/v1/verdict', '/v1/verdict', { ...POST, body: '{}' }, 400],
  ...FLAGGER.map((path): [string, string, RequestInit, number] => [
    path,
    path,
    { ...POST, body: /post-rollout|confirm-rollout/.test(path) ? ENDED : HOOK },
    /gate|increase|promotion|rollback/.test(path) ? 403 : 200,
  ]),
  ['/flagger/v1/rollback', '/flagger/v1/rollback', { ...POST, body: DRAINING }, 503],
  ['/flagger/v1/rollback', '/flagger/v1/rollback', { ...POST, body: '{}' }, 400],
  ['/v1/signals', '/v1/signals', {}, 200],
  ['/v1/signals?limit=x', '/v1/signals', {}, 400],
  ['/v1/signals/sig_1', '/v1/signals/{id}', {}, 200],
  ['/v1/signals/sig_0', '/v1/signals/{id}', {}, 404],
  ['/v1/signals/sig_1/outcome', '/v1/signals/{id}/outcome', { ...POST, body: OUTCOME }, 200],
  ['/v1/signals/sig_0/outcome', '/v1/signals/{id}/outcome', { ...POST, body: OUTCOME }, 404],
  ['/v1/signals/sig_1/outcome', '/v1/signals/{id}/outcome', { ...POST, body: OUTCOME.replace('done', 'half') }, 400],
  ['/api/v1/query?query=vector(1)', '/api/v1/query', {}, 200],
  ['/api/v1/query?query=1%2B1', '/api/v1/query', {}, 200],
  ['/api/v1/query?query=sum(', '/api/v1/query', {}, 400],
  ['/api/v1/query?query=slipstream_requests_total', '/api/v1/query', {}, 422],
  ['/api/v1/query?query=1&timeout=0', '/api/v1/query', {}, 503],
  ['/api/v1/query', '/api/v1/query', { ...FORM, body: 'query=vector(1)' }, 200],
  ['/api/v1/query', '/api/v1/query', { ...FORM, headers: { 'content-type': 'text/plain' } }, 415],
  ['/api/v1/query_range?query=1&start=0&end=60&step=15', '/api/v1/query_range', {}, 200],
  ['/api/v1/query_range', '/api/v1/query_range', { ...FORM, body: 'query=1&start=0&end=60&step=15s' }, 200],
  ['/api/v1/query_range?query=1', '/api/v1/query_range', {}, 400],
  ['/api/v1/series?match[]=slipstream_requests_total', '/api/v1/series', {}, 200],
  ['/api/v1/series', '/api/v1/series', { ...FORM, body: 'match[]=slipstream_requests_total' }, 200],
  ['/api/v1/series', '/api/v1/series', {}, 400],
  ['/api/v1/labels', '/api/v1/labels', {}, 200],
  ['/api/v1/labels', '/api/v1/labels', { ...FORM, body: '' }, 200],
  ['/api/v1/label/service/values', '/api/v1/label/{name}/values', {}, 200],
  ['/api/v1/metadata', '/api/v1/metadata', {}, 200],
  ['/api/v1/status/buildinfo', '/api/v1/status/buildinfo', {}, 200],
  ['/healthz', '/healthz', {}, 200],
  ['/readyz', '/readyz', {}, 200],
  ['/version', '/version', {}, 200],
  ['/openapi.json', '/openapi.json', {}, 200],
  ['/metrics', '/metrics', {}, 200],
  ['/metrics', '/metrics', { headers: { host: 'evil.example' } }, 421],
  ['/v1/rollouts/r-1', '/v1/rollouts/{id}', { method: 'DELETE', headers: { 'sec-fetch-site': 'cross-site' } }, 403],
  ['/v1/rollouts/r-1', '/v1/rollouts/{id}', { method: 'DELETE' }, 200],
  ...KAYENTA_REQUESTS,
];

describe('every answer is as the document describes it', () => {
  it.each(REQUESTS)('%s (%s) %j: %d', async (path, described, init, status) => {
    const answer = await ask(path, init);
    expect(answer.status).toBe(status);
    const type = answer.headers.get('content-type') ?? '';
    const body = type.startsWith('text/plain') ? await answer.text() : await answer.json();
    const validate = validator(described, (init.method ?? 'GET').toLowerCase(), status, type);
    validate(body);
    expect(validate.errors ?? []).toEqual([]);
  });

  it('rejects an answer with a field that is not described', () => {
    const validate = validator('/healthz', 'get', 200, 'application/json');
    expect(validate({ alive: true })).toBe(true);
    expect(validate({ alive: true, more: 1 })).toBe(false);
  });

  it('covers every described operation', () => {
    const described = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    const asked = REQUESTS.map(([, path, init]) => `${(init.method ?? 'GET').toLowerCase()} ${path}`);
    expect(new Set(asked)).toEqual(new Set(described));
  });
});

describe('the document', () => {
  it('refers only to what it has', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference ?? '');
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const target = reference
        .split('/')
        .slice(1)
        .reduce<Json | undefined>((node, key) => node?.[key], document);
      expect(target, reference).toBeDefined();
    }
  });

  it('is the same every time', () => {
    expect(openApiDocument('1')).toEqual(openApiDocument('1'));
  });

  it('accepts the request it describes and refuses what the server refuses', () => {
    const validate = ajv.compile({ $ref: 'openapi#/components/schemas/StartRollout' });
    expect(validate(JSON.parse(BODY))).toBe(true);
    for (const wrong of [
      {},
      { ...JSON.parse(BODY), canary: {} },
      { ...JSON.parse(BODY), generation: 0 },
      { ...JSON.parse(BODY), extra: 1 },
    ]) {
      expect(validate(wrong)).toBe(false);
    }
  });
});
