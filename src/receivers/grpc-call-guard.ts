/** Bounds what one gRPC call may hold while its message arrives and inflates: grpc-js itself knows only the size of the final message. */
import type { ServerHttp2Stream } from 'node:http2';
import { constants as http2Constants } from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { status as GrpcStatus, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { Admission } from './admission.ts';
import { grpcStatus } from './grpc-status.ts';
import { type Compression, type Inflated, inflate } from './inflate.ts';
import type { Intake } from './intake.ts';
import { type Refusal, type Refused, refusal } from './outcome-table.ts';

/** Length-prefixed message of gRPC: 1 byte compressed flag, 4 bytes big-endian length, then the message. */
const PREFIX_BYTES = 5;
/** How long the sender of a refused call may go on sending; all of it is discarded. */
const LINGER_MS = 1000;

/**
 * The parts of grpc-js's server call that it keeps private (1.14.7, the version in package.json). It inflates without regard to what other
 * calls hold and counts no arriving bytes, so a hundred streams of one connection could fill the memory.
 */
interface CallInsides extends ServerInterceptingCallInterface {
  readonly stream: ServerHttp2Stream;
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

export interface GuardOptions {
  readonly admission: Admission;
  readonly intake: Intake;
  readonly maxRequestBytes: number;
  readonly retryAfterMs: number;
  /** A message that takes longer to arrive and be answered is given up. */
  readonly arrivalTimeoutMs: number;
  /** True once the receiver itself takes no more calls. */
  readonly isStopping: () => boolean;
}

/** Refuses calls that find no room before a byte of them is read, and holds a lease for every call from then to its end. */
export function grpcCallGuard(options: GuardOptions): ServerInterceptor {
  return (_method, call) => {
    if (!hasInsides(call)) throw new Error('this version of @grpc/grpc-js does not show the stream of a call');
    guard(call, options);
    return new ServerInterceptingCall(call);
  };
}

function guard(call: CallInsides, { admission, intake, maxRequestBytes, retryAfterMs, arrivalTimeoutMs, isStopping }: GuardOptions): void {
  const { stream } = call;
  const lease = admission.lease();
  let isAnswered = false;

  const send = call.sendStatus.bind(call);
  call.sendStatus = (status) => {
    // Statuses of ours carry metadata and are counted where they are made; those without come from grpc-js itself.
    if (!isAnswered && status.code !== GrpcStatus.OK && !status.metadata) {
      // A reset ends the message early, which grpc-js takes for a call without a message.
      intake.refused(stream.aborted || stream.rstCode !== 0 ? 'aborted' : outcomeOf(status.code));
    }
    isAnswered = true;
    send(status);
  };
  const refuse = (answer: Refused): void => {
    if (isAnswered) return;
    intake.refused(answer.outcome);
    call.sendStatus(grpcStatus(answer, retryAfterMs));
    // A reset would overtake the answer, so the sender is given time to end the call itself; what grpc-js has gathered stays on the lease.
    clearTimeout(timer);
    timer = setTimeout(() => stream.close(http2Constants.NGHTTP2_NO_ERROR), LINGER_MS).unref();
  };

  let timer = setTimeout(() => refuse(refusal('timeout')), arrivalTimeoutMs).unref();
  stream.once('close', () => {
    clearTimeout(timer);
    lease.close();
    if (!isAnswered) intake.refused('aborted');
    isAnswered = true;
  });
  if (admission.isDraining || isStopping()) refuse(refusal('draining'));
  else if (!admission.hasRoom(1)) refuse(refusal('overloaded'));

  stream.on('data', (chunk: Buffer) => {
    if (!isAnswered && !lease.grow(chunk.length)) refuse(refusal('overloaded'));
  });
  call.decompressMessage = (message, encoding) => {
    const isCompressed = message[0] === 1;
    const compression = isCompressed ? compressionOf(encoding) : 'identity';
    if (compression === null) throw counted(refusal('unsupported_encoding'));
    const inflated = inflate(compression, message.subarray(PREFIX_BYTES), maxRequestBytes, lease);
    return inflated instanceof Promise ? inflated.then(bytesOrStatus) : bytesOrStatus(inflated);
  };
  const bytesOrStatus = (inflated: Inflated): Buffer => {
    if ('bytes' in inflated) return inflated.bytes;
    throw counted(inflated.refused);
  };
  const counted = (refused: Refused) => {
    intake.refused(refused.outcome);
    return grpcStatus(refused, retryAfterMs);
  };
}

function hasInsides(call: ServerInterceptingCallInterface): call is CallInsides {
  return 'stream' in call && 'decompressMessage' in call;
}

function compressionOf(encoding: string): Compression | null {
  switch (encoding) {
    case 'identity':
    case 'gzip':
    case 'deflate':
    case 'zstd':
      return encoding;
    default:
      return null;
  }
}

function outcomeOf(code: number): Refusal {
  switch (code) {
    case GrpcStatus.RESOURCE_EXHAUSTED:
      return 'too_large';
    case GrpcStatus.DEADLINE_EXCEEDED:
      return 'timeout';
    // A call that ends before its message does, or carries two.
    case GrpcStatus.UNIMPLEMENTED:
      return 'malformed';
    case GrpcStatus.CANCELLED:
      return 'aborted';
    default:
      return 'internal';
  }
}
