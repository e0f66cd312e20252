/** What is wrong with a request is said in the words of the API, once per field. */
import { describe, expect, it } from 'vitest';
import { invalidRequest } from '../../src/api/problem.ts';
import { parsedJson } from '../../src/api/request-body.ts';
import { latencyQuery, listQuery, startRollout, statusQuery } from '../../src/api/request-schemas.ts';

const MATCHER = 'must be an object of resource attributes, like {"service.version":"1.5.0"}';

describe('a refused request', () => {
  it.each<[object, string]>([
    [[], 'the body must be an object'],
    [{ service: 's', generation: 1, baseline: { v: '1' } }, `/canary: is missing; it ${MATCHER}`],
    [{ service: 's', generation: 1, baseline: { v: '1' }, canary: '1.5.0' }, `/canary: ${MATCHER}`],
    [{ service: 's', generation: '7', baseline: { v: '1' }, canary: { v: '2' } }, '/generation: must be a number'],
    [{ service: 's', generation: 1.5, baseline: { v: '1' }, canary: { v: '2' } }, '/generation: must be a whole number'],
    [{ service: 's', generation: 0, baseline: { v: '1' }, canary: { v: '2' } }, '/generation: must be at least 1'],
    [{ service: 's', generation: 1, baseline: { v: '1' }, canary: { v: '2' }, canaryShare: 0 }, '/canaryShare: must be more than 0'],
    [{ service: 's', generation: 1, baseline: { v: '1' }, canary: { v: '2' }, canaryShare: 5 }, '/canaryShare: must be at most 1'],
    [{ service: '', generation: 1, baseline: { v: '1' }, canary: { v: '2' } }, '/service: must not be empty'],
    [{ service: 's', generation: 1, baseline: { v: 1 }, canary: { v: '2' } }, '/baseline/v: must be text'],
    [
      { service: 's', generation: 1, baseline: { v: '1' }, canary: { '': '2' } },
      '/canary/: is no name of an attribute: 1 to 256 characters',
    ],
    [{ service: 's', generation: 1, baseline: { v: '1' }, canary: { v: '2' }, canry: 1 }, '/canry: is not a known field'],
  ])('with the body %j says so', (body, detail) => {
    const checked = startRollout.safeParse(body);
    expect(checked.error && invalidRequest(checked.error, 'body').detail).toBe(detail);
  });

  it.each([
    [statusQuery, { window: '6' }, '?window: must be a duration like 60s'],
    [statusQuery, { window: '0s' }, '?window: must be 1s to 90d'],
    [latencyQuery, { service: 's' }, '?endpoint: is missing; it must be text'],
    [listQuery, { limit: 'x' }, '?limit: must be a number'],
    [listQuery, { limit: '5000' }, '?limit: must be at most 1000'],
  ])('with the query %# says so', (schema, query, detail) => {
    const checked = schema.safeParse(query);
    expect(checked.error && invalidRequest(checked.error, 'query').detail).toBe(detail);
  });

  it.each([
    ['', 'the body is empty'],
    ['{', 'the body is not JSON: '],
    ['{"a":{"__proto__":{}}}', 'the body has a key __proto__'],
  ])('with the text %j says what is wrong with it', (text, detail) => {
    expect(parsedJson(text)).toMatchObject({ ok: false, detail: expect.stringContaining(detail) });
  });
});
