/** Says an answer in HTTP's words: status, headers, and a body in the content type of the request. */
import { exportResponse, statusBody } from './otlp-response.ts';
import { OUTCOMES, type Refused, type Taken } from './outcome-table.ts';
import type { SpanEncoding } from './receiver.ts';

export const CONTENT_TYPES: Readonly<Record<SpanEncoding, string>> = { protobuf: 'application/x-protobuf', json: 'application/json' };

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string | number>;
  readonly body: Buffer;
}

/** `encoding` is that of the request; senders whose content type is none of ours get plain text, as from the Collector. */
export function httpAnswer(answer: Taken | Refused, encoding: SpanEncoding | null, retryAfterMs: number): HttpAnswer {
  const { http: status, retry } = OUTCOMES[answer.outcome];
  const body = bodyOf(answer, encoding, retryAfterMs);
  const headers: Record<string, string | number> = {
    'content-type': encoding === null ? 'text/plain; charset=utf-8' : CONTENT_TYPES[encoding],
    'content-length': body.length,
  };
  // Whole seconds, and 0 would mean never to some senders.
  if (retry) headers['retry-after'] = Math.max(1, Math.ceil(retryAfterMs / 1000));
  if (answer.outcome === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="slipstream"';
  if (answer.outcome === 'method') headers.allow = 'POST';
  if (answer.outcome === 'unsupported_type') headers.accept = Object.values(CONTENT_TYPES).join(', ');
  if (answer.outcome === 'unsupported_encoding') headers['accept-encoding'] = 'gzip, deflate, zstd, identity';
  return { status, headers, body };
}

function bodyOf(answer: Taken | Refused, encoding: SpanEncoding | null, retryAfterMs: number): Buffer {
  if (encoding === null) return Buffer.from(answer.message);
  if (answer.kind === 'taken') return exportResponse(encoding, answer.rejected, answer.message);
  const { http, grpc: code, retry } = OUTCOMES[answer.outcome];
  return statusBody(encoding, { code, message: answer.message, isBadRequest: http === 400, ...(retry && { retryAfterMs }) });
}
