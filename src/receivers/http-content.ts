/** Reads what the headers of an HTTP request say about its body. */
import { CONTENT_TYPES } from './http-answer.ts';
import type { Compression } from './inflate.ts';
import type { SpanEncoding } from './receiver.ts';

/** Of a `content-type`: parameters and case do not matter; null for every type that is not ours. */
export function encodingOf(contentType: string | undefined): SpanEncoding | null {
  switch (contentType?.split(';', 1)[0]?.trim().toLowerCase()) {
    case CONTENT_TYPES.protobuf:
      return 'protobuf';
    case CONTENT_TYPES.json:
      return 'json';
    default:
      return null;
  }
}

/** Of a `content-encoding`; null for those not understood, lists of several among them. */
export function compressionOf(contentEncoding: string | undefined): Compression | null {
  switch (contentEncoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return 'identity';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    case 'zstd':
      return 'zstd';
    default:
      return null;
  }
}
