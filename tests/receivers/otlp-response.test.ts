import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { exportResponse, statusBody } from '../../src/receivers/otlp-response.ts';
import { decoded, decodedStatus } from './rpc-proto.ts';

describe('an export response', () => {
  it.each([
    ['protobuf', ''],
    ['json', '{}'],
  ] as const)('leaves the partial success unset on full success (%s)', (encoding, expected) => {
    expect(exportResponse(encoding, 0, '').toString()).toBe(expected);
  });

  property.prop([fc.nat(), fc.string({ unit: 'binary', minLength: 1, maxLength: 200 })])(
    'says the same to protobufjs as was written',
    (rejected, message) => {
      const { partialSuccess } = decoded('ExportResponse', exportResponse('protobuf', rejected, message)) as {
        partialSuccess: { rejectedSpans?: number; errorMessage: string };
      };
      expect(partialSuccess.rejectedSpans ?? 0).toBe(rejected);
      expect(partialSuccess.errorMessage).toBe(message);
    },
  );

  it('writes counts beyond 32 bits', () => {
    const response = decoded('ExportResponse', exportResponse('protobuf', 2 ** 40 + 5, 'x'));
    expect(response).toEqual({ partialSuccess: { rejectedSpans: 2 ** 40 + 5, errorMessage: 'x' } });
  });

  it('writes 64-bit counts as strings in JSON', () => {
    expect(JSON.parse(exportResponse('json', 7, 'late').toString())).toEqual({
      partialSuccess: { rejectedSpans: '7', errorMessage: 'late' },
    });
  });
});

describe('a status', () => {
  it('carries RetryInfo with seconds and nanoseconds', () => {
    const bytes = statusBody('protobuf', { code: 14, message: 'later', retryAfterMs: 2_500 });
    expect(decodedStatus(bytes)).toEqual({
      code: 14,
      message: 'later',
      details: { RetryInfo: { retryDelay: { seconds: 2, nanos: 500_000_000 } } },
    });
  });

  it('carries BadRequest with what is wrong', () => {
    const bytes = statusBody('protobuf', { code: 3, message: 'field 1 ends early', isBadRequest: true });
    expect(decodedStatus(bytes).details).toEqual({ BadRequest: { fieldViolations: [{ description: 'field 1 ends early' }] } });
  });

  it('is the canonical JSON of google.rpc.Status', () => {
    const json: unknown = JSON.parse(statusBody('json', { code: 14, message: 'later', retryAfterMs: 1_500 }).toString());
    expect(json).toEqual({
      code: 14,
      message: 'later',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' }],
    });
  });

  it('cuts long messages and mends broken ones', () => {
    const { message } = decodedStatus(statusBody('protobuf', { code: 3, message: `\ud800${'x'.repeat(5_000_000)}` }));
    expect(message.length).toBe(1024);
    expect(message.startsWith('\ufffdxxx')).toBe(true);
  });
});
