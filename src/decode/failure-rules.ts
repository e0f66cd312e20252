/** Did a span fail: its status, the HTTP or gRPC status, `error.type`, and what the configuration says about a status. */
import type { StatusTreatment } from '../model/span-rules.ts';
import { ByteWords } from './byte-words.ts';
import { slotsOf } from './semconv-attributes.ts';
import type { SpanFields } from './span-fields.ts';
import { KIND_CLIENT, KIND_PRODUCER } from './span-kinds.ts';
import {
  CLIENT_ERROR_FROM,
  GRPC_CODE_WORDS,
  GRPC_CODES,
  grpcCodeOf,
  httpStatusOf,
  MAX_HTTP_STATUS,
  SERVER_ERROR_FROM,
} from './status-codes.ts';

export const GOOD = 0;
export const FAILED = 1;
/** Not counted at all. */
export const IGNORED = 2;
export type Outcome = typeof GOOD | typeof FAILED | typeof IGNORED;

/** Status codes of a span; others are as good as UNSET. Source: opentelemetry-proto, trace.proto. */
const STATUS_OK = 1;
const STATUS_ERROR = 2;

const TREATMENTS: Readonly<Record<StatusTreatment, Outcome>> = { good: GOOD, bad: FAILED, ignored: IGNORED };
const UNTREATED = 255;
const GRPC_OK = 0;

const HTTP_STATUS = slotsOf('httpStatus');
const RPC_STATUS = slotsOf('rpcStatus');
const ERROR_TYPE = slotsOf('errorType').first;
const GRPC_SERVER_ERROR = Uint8Array.from(GRPC_CODES, ({ serverError }) => (serverError ? 1 : 0));

/**
 * The first line that applies decides:
 *
 *     a configured treatment of the span's gRPC code, then of its HTTP status
 *     span status ERROR: failed; span status OK: good (the application's own word)
 *     a gRPC code, an HTTP status or an `error.type` that says so: failed, any of the three
 *     otherwise good
 *
 * A treatment also beats the span's status: who configures `CANCELLED: good` means the spans that an SDK marked as errors.
 */
export class FailureRules {
  readonly #http = new Uint8Array(MAX_HTTP_STATUS + 1).fill(UNTREATED);
  readonly #grpc = new Uint8Array(GRPC_CODES.length).fill(UNTREATED);
  readonly #words = new ByteWords(GRPC_CODE_WORDS);

  /** Keys of `treatment` that are neither an HTTP status nor a gRPC code's name say nothing here; configuration refuses them. */
  constructor(treatment: ReadonlyMap<string, StatusTreatment>) {
    for (const [status, treated] of treatment) {
      const code = GRPC_CODES.findIndex(({ name }) => name === status);
      if (code >= 0) this.#grpc[code] = TREATMENTS[treated];
      else if (/^[1-5]\d\d$/.test(status)) this.#http[Number(status)] = TREATMENTS[treated];
    }
  }

  /** What the span counts as. */
  outcomeOf(fields: SpanFields): Outcome {
    const code = grpcCodeOf(fields, fields.newest(RPC_STATUS), this.#words);
    const status = httpStatusOf(fields, fields.newest(HTTP_STATUS));
    if (code >= 0 && this.#grpc[code] !== UNTREATED) return this.#grpc[code] as Outcome;
    if (status >= 0 && this.#http[status] !== UNTREATED) return this.#http[status] as Outcome;
    if (fields.statusCode === STATUS_ERROR) return FAILED;
    if (fields.statusCode === STATUS_OK) return GOOD;
    const called = fields.kind === KIND_CLIENT || fields.kind === KIND_PRODUCER;
    if (code >= 0 && (called ? code !== GRPC_OK : GRPC_SERVER_ERROR[code] === 1)) return FAILED;
    if (status >= (called ? CLIENT_ERROR_FROM : SERVER_ERROR_FROM)) return FAILED;
    return fields.has(ERROR_TYPE) ? FAILED : GOOD;
  }
}
