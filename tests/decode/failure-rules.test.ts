/** When a span counts as failed. */
import { describe, expect, it } from 'vitest';
import { GRPC_CODES } from '../../src/decode/status-codes.ts';
import type { StatusTreatment } from '../../src/model/span-rules.ts';
import { CLIENT, type Scalar, SERVER, seenOf } from './one-span.ts';

type Row = [why: string, failed: boolean, attributes: Record<string, Scalar>, code?: number, kind?: number];

describe('a span has failed', () => {
  it.each<Row>([
    ['with status ERROR', true, {}, 2],
    ['with status ERROR and HTTP 200', true, { 'http.response.status_code': 200 }, 2],
    ['not with status OK and HTTP 500', false, { 'http.response.status_code': 500 }, 1],
    ['not with status OK and an error type', false, { 'error.type': 'timeout' }, 1],
    ['not with a status of the future', false, {}, 7],
    ['with HTTP 500', true, { 'http.response.status_code': 500 }],
    ['with HTTP 599', true, { 'http.response.status_code': 599 }],
    ['not with HTTP 600, which is none', false, { 'http.response.status_code': 600 }],
    ['with the old name of HTTP 503', true, { 'http.status_code': 503 }],
    ['with HTTP 503 as text', true, { 'http.status_code': '503' }],
    ['with HTTP 503 as double', true, { 'http.status_code': 503.0 }],
    ['by the new name before the old one', false, { 'http.status_code': 503, 'http.response.status_code': 200 }],
    ['not with HTTP 404 as a server', false, { 'http.response.status_code': 404 }],
    ['with HTTP 404 as a client', true, { 'http.response.status_code': 404 }, 0, CLIENT],
    ['with an error type', true, { 'error.type': '_OTHER' }],
    ['not with an empty error type', false, { 'error.type': '' }],
    ['with gRPC INTERNAL as int', true, { 'rpc.grpc.status_code': 13 }],
    ['with gRPC INTERNAL as text', true, { 'rpc.response.status_code': 'INTERNAL' }],
    ['with gRPC INTERNAL as digits', true, { 'rpc.response.status_code': '13' }],
    ['with the code of Connect', true, { 'rpc.response.status_code': 'deadline_exceeded' }],
    ['not with gRPC NOT_FOUND as a server', false, { 'rpc.grpc.status_code': 5 }],
    ['with gRPC NOT_FOUND as a client', true, { 'rpc.grpc.status_code': 5 }, 0, CLIENT],
    ['not with gRPC OK as a client', false, { 'rpc.grpc.status_code': 0 }, 0, CLIENT],
    ['not with a gRPC code of the future', false, { 'rpc.grpc.status_code': 17 }],
    ['not with an error code of JSON-RPC', false, { 'rpc.response.status_code': '-32700' }],
  ])('%s', (_, failed, attributes, code = 0, kind = SERVER) => {
    expect(seenOf({ attributes, span: { kind, status: { code } }, rules: { kinds: ['server', 'client'] } }).failed).toBe(failed);
  });

  it('with the gRPC codes that the conventions name for servers', () => {
    const failing = GRPC_CODES.map((_, code) => code).filter((code) => seenOf({ attributes: { 'rpc.grpc.status_code': code } }).failed);
    expect(failing).toEqual([2, 4, 12, 13, 14, 15]);
  });
});

describe('a treatment', () => {
  const treated = (entries: [string, StatusTreatment][], attributes: Record<string, Scalar>, code = 0) =>
    seenOf({ attributes, span: { status: { code } }, rules: { statusTreatment: new Map(entries) } });

  it('makes a good status bad', () => {
    expect(treated([['429', 'bad']], { 'http.response.status_code': 429 }).failed).toBe(true);
  });

  it('makes a bad status good, even where the span says ERROR', () => {
    expect(treated([['CANCELLED', 'good']], { 'rpc.grpc.status_code': 1 }, 2).failed).toBe(false);
    expect(treated([['503', 'good']], { 'http.response.status_code': 503 }).failed).toBe(false);
  });

  it('leaves an ignored status out of every count', () => {
    expect(treated([['499', 'ignored']], { 'http.response.status_code': 499 })).toMatchObject({
      endpoint: null,
      dispositions: ['excluded'],
    });
    expect(treated([['CANCELLED', 'ignored']], { 'rpc.response.status_code': 'canceled' }).dispositions).toEqual(['excluded']);
  });

  it('of another status changes nothing', () => {
    expect(treated([['429', 'bad']], { 'http.response.status_code': 404 }).failed).toBe(false);
  });
});
