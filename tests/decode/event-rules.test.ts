/** Which spans are valid and bad by an own definition, in both encodings alike. */
import { describe, expect, it } from 'vitest';
import type { AttributeRule, EventRule } from '../../src/model/span-rules.ts';
import { CLIENT, CONSUMER, type Scalar, SERVER, type SpanCase, seenOf } from './one-span.ts';

/** The codes of a class, as the configuration writes `5xx` out. */
const classOf = (digit: number) => Array.from({ length: 100 }, (_, i) => `${digit * 100 + i}`);

const STATUS = 'http.response.status_code';
const OLD_STATUS = 'http.status_code';
const LIMITED: AttributeRule = { [STATUS]: ['429', ...classOf(5)] };

function masks(rules: readonly Omit<EventRule, 'key'>[], given: SpanCase): { valid: number; bad: number } {
  const events = new Map([['shop', rules.map((rule, i) => ({ key: `${i}`, ...rule }))]]);
  const kinds = ['server', 'client', 'consumer'] as const;
  const { valid, bad, dispositions } = seenOf({ ...given, rules: { kinds, events, ...given.rules } });
  expect(dispositions).toContain('counted');
  return { valid, bad };
}

const isBad = (bad: AttributeRule, given: SpanCase) => masks([{ where: null, bad: [bad] }], given).bad === 1;

describe('a span is bad', () => {
  type Row = [why: string, expected: boolean, rule: AttributeRule, attributes: Record<string, Scalar>];

  it.each<Row>([
    ['by a number', true, LIMITED, { [STATUS]: 429 }],
    ['by a number as text', true, LIMITED, { [STATUS]: '429' }],
    ['by a number as double', true, LIMITED, { [STATUS]: 429.0 }],
    ['not by a number between two', false, LIMITED, { [STATUS]: 429.5 }],
    ['by any code of a class', true, LIMITED, { [STATUS]: 599 }],
    ['not by a code that is not named', false, LIMITED, { [STATUS]: 404 }],
    ['not by a number with a zero before it', false, LIMITED, { [STATUS]: '0429' }],
    ['not by the beginning of a number', false, LIMITED, { [STATUS]: '42' }],
    ['not by a negative number', false, LIMITED, { [STATUS]: -429 }],
    ['not by what is no number', false, LIMITED, { [STATUS]: Number.NaN }],
    ['not without the attribute', false, LIMITED, {}],
    ['not by an empty text', false, { tier: ['*'] }, { tier: '' }],
    ['by the older name', true, LIMITED, { [OLD_STATUS]: 503 }],
    ['by the newer name where the rule has the older', true, { [OLD_STATUS]: ['503'] }, { [STATUS]: 503 }],
    ['by the newer name before the older', false, LIMITED, { [OLD_STATUS]: 503, [STATUS]: 200 }],
    ['by a large number', true, { size: ['5000'] }, { size: 5000 }],
    ['by a large number as text', true, { size: ['5000'] }, { size: '5000' }],
    ['by a fraction', true, { share: ['0.5'] }, { share: 0.5 }],
    ['by a negative number', true, { rest: ['-1'] }, { rest: -1 }],
    ['by zero', true, { rest: ['0'] }, { rest: 0 }],
    ['by a bool', true, { cached: ['true'] }, { cached: true }],
    ['not by the other bool', false, { cached: ['true'] }, { cached: false }],
    ['not by one for true', false, { cached: ['true'] }, { cached: 1 }],
    ['by a text', true, { 'app.result': ['declined', 'fraud'] }, { 'app.result': 'fraud' }],
    ['not by a longer text', false, { 'app.result': ['fraud'] }, { 'app.result': 'frauds' }],
    ['by any value', true, { 'app.result': ['*'] }, { 'app.result': 'whatever' }],
    ['by all attributes of a rule', true, { a: ['1'], b: ['x'] }, { a: 1, b: 'x' }],
    ['not by some attributes of a rule', false, { a: ['1'], b: ['x'] }, { a: 1, b: 'y' }],
    ['not by a rule without attributes', false, {}, { a: 1 }],
    ['not by a rule without values', false, { a: [] }, { a: 1 }],
    ['by the name of a gRPC code', true, { 'rpc.response.status_code': ['UNAVAILABLE'] }, { 'rpc.response.status_code': 'UNAVAILABLE' }],
    ['by the number of a gRPC code', true, { 'rpc.response.status_code': ['UNAVAILABLE'] }, { 'rpc.grpc.status_code': 14 }],
    ['by its name where the rule has the number', true, { 'rpc.grpc.status_code': ['14'] }, { 'rpc.response.status_code': 'UNAVAILABLE' }],
    ['by the spelling of Connect', true, { 'rpc.response.status_code': ['CANCELLED'] }, { 'rpc.response.status_code': 'canceled' }],
    ['not by another gRPC code', false, { 'rpc.response.status_code': ['UNAVAILABLE'] }, { 'rpc.grpc.status_code': 13 }],
    ['not by a number elsewhere that is a gRPC code here', false, { code: ['UNAVAILABLE'] }, { code: 14 }],
    ['not by an attribute with the name of a field', false, { 'span.status': ['error'] }, { 'span.status': 'error' }],
  ])('%s', (_, expected, rule, attributes) => {
    expect(isBad(rule, { attributes })).toBe(expected);
  });

  it.each<[status: string, code: number, kind: number, kindWord: string]>([
    ['unset', 0, SERVER, 'server'],
    ['ok', 1, CLIENT, 'client'],
    ['error', 2, CONSUMER, 'consumer'],
    ['unset', 7, SERVER, 'server'],
  ])('by its status %s (%i) and its kind', (status, code, kind, kindWord) => {
    const given: SpanCase = { span: { kind, status: { code } } };
    const found = (name: string, words: readonly string[]) => words.filter((word) => isBad({ [name]: [word] }, given));
    expect(found('span.status', ['unset', 'ok', 'error', 'fatal'])).toEqual([status]);
    expect(found('span.kind', ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'])).toEqual([kindWord]);
    expect(isBad({ 'span.status': ['*'], 'span.kind': [kindWord, 'producer'] }, given)).toBe(true);
  });

  it.each<[why: string, expected: boolean, resource: Record<string, Scalar>, attributes: Record<string, Scalar>]>([
    ['by an attribute of its resource', true, { region: 'eu', tier: 'gold' }, {}],
    ['by one of its resource and one of its own', true, { region: 'eu' }, { tier: 'gold' }],
    ['by its own where the resource has another value', true, { region: 'us', tier: 'gold' }, { region: 'eu' }],
    ['not by half of it', false, { region: 'eu' }, { tier: 'silver' }],
    ['not by a status field that the resource claims', false, { region: 'eu', tier: 'gold', 'span.status': 'error' }, {}],
  ])('%s', (why, expected, resource, attributes) => {
    const rule = { region: ['eu'], tier: ['gold'], ...(why.includes('claims') && { 'span.status': ['error'] }) };
    expect(isBad(rule, { resource: { 'service.name': 'shop', ...resource }, attributes })).toBe(expected);
  });

  it('by any of its rules, and by numbers of the resource as by texts', () => {
    const bad: readonly AttributeRule[] = [{ a: ['1'] }, { shard: ['7'] }];
    const seen = (resource: Record<string, Scalar>, attributes: Record<string, Scalar>) =>
      masks([{ where: null, bad }], { resource: { 'service.name': 'shop', ...resource }, attributes }).bad;
    expect([seen({}, { a: 1 }), seen({ shard: 7 }, {}), seen({ shard: '7' }, {}), seen({ shard: 8 }, { a: 2 })]).toEqual([1, 1, 1, 0]);
  });
});

describe('a span is valid', () => {
  it.each<[why: string, expected: { valid: number; bad: number }, attributes: Record<string, Scalar>]>([
    ['and bad', { valid: 1, bad: 1 }, { tier: 'gold', [STATUS]: 500 }],
    ['and good', { valid: 1, bad: 0 }, { tier: 'gold', [STATUS]: 200 }],
    ['not, and then not bad either', { valid: 0, bad: 0 }, { tier: 'silver', [STATUS]: 500 }],
  ])('%s', (_, expected, attributes) => {
    expect(masks([{ where: { tier: ['gold'] }, bad: [LIMITED] }], { attributes })).toEqual(expected);
  });

  it('for each of eight rules by itself, and for a ninth there is no bit', () => {
    const rules = Array.from({ length: 9 }, (_, i) => ({ where: { [`w${i}`]: ['1'] }, bad: [{ [`b${i}`]: ['1'] }] }));
    const attributes = { w0: 1, b0: 1, b1: 1, w7: '1', b7: '1', w8: 1, b8: 1, w3: 1 };
    expect(masks(rules, { attributes })).toEqual({ valid: 0b1000_1001, bad: 0b1000_0001 });
  });

  it('for no rule of another service', () => {
    const resource = { 'service.name': 'cart' };
    expect(masks([{ where: null, bad: [{ a: ['*'] }] }], { resource, attributes: { a: 1 } })).toEqual({ valid: 0, bad: 0 });
  });

  it('for the rules of its service whether or not it has a usable duration', () => {
    const { valid, bad, timed } = seenOf({
      attributes: { [STATUS]: 503 },
      span: { startTimeUnixNano: 1_890_000_000_000_000_000n },
      rules: { events: new Map([['shop', [{ key: 'limited', where: null, bad: [LIMITED] }]]]) },
    });
    expect({ valid, bad, timed }).toEqual({ valid: 1, bad: 1, timed: false });
  });
});
