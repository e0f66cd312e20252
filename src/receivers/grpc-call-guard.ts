/** Bounds what one gRPC call may hold while its message arrives and inflates: grpc-js itself knows only the size of the final message. */
import { type Http2Session, constants as http2Constants, type ServerHttp2Stream } from 'node:http2';
import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { status as GrpcStatus, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import type { Peer } from '../tls/handshakes.ts';
import type { Admission } from './admission.ts';
import { GrpcFrames, PREFIX_BYTES } from './grpc-frames.ts';
import { grpcStatus } from './grpc-status.ts';
import { type Compression, type Inflated, inflate } from './inflate.ts';
import type { Intake } from './intake.ts';
import type { MessageBuffers } from './message-buffer.ts';
import { type Refusal, type Refused, refusal } from './outcome-table.ts';
import type { Consume } from './receiver.ts';
import type { SenderTokens } from './sender-tokens.ts';

/** How long the sender of a refused call may go on sending; all of it is discarded. */
const LINGER_MS = 1000;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
const FRAME_BYTES = 64 * 1024;

/**
 * The parts of grpc-js's server call that it keeps private (1.14.7, the version in package.json). It inflates without regard to what other
 * calls hold and counts no arriving bytes, so a hundred streams of one connection could fill the memory.
 */
interface CallInsides extends ServerInterceptingCallInterface {
  readonly stream: ServerHttp2Stream;
  readonly metadata: Metadata;
  /** Takes what arrives, returns the messages that are now whole, each with its prefix. */
  decoder: { write(data: Buffer): Buffer[] };
  decompressMessage(message: Buffer, encoding: string): Buffer | Promise<Buffer>;
}

export interface GuardOptions {
  readonly admission: Admission;
  readonly intake: Intake<Consume>;
  readonly buffers: MessageBuffers;
  /** Null: nobody is asked who he is. */
  readonly tokens: SenderTokens | null;
  readonly maxRequestBytes: number;
  readonly retryAfterMs: number;
  /** A message that takes longer to arrive and be answered is given up. */
  readonly arrivalTimeoutMs: number;
  /** True once the receiver itself takes no more calls. */
  readonly isStopping: () => boolean;
  /** True of a connection that is to end with the calls it has. */
  readonly isOutdated: (connection: Peer) => boolean;
}

/** Refuses calls that find no room before a byte of them is read, and holds a lease for every call from then to its end. */
export function grpcCallGuard(options: GuardOptions): ServerInterceptor {
  const widened = new WeakSet<Http2Session>();
  return (_method, call) => {
    if (!hasInsides(call)) {
      // Without these parts nothing is bounded, so nothing is taken; the tests of this room fail long before.
      options.intake.refused('internal');
      call.sendStatus(grpcStatus(refusal('internal', 'this version of @grpc/grpc-js is not supported'), options.retryAfterMs));
      return new ServerInterceptingCall(call);
    }
    const { session } = call.stream;
    if (session !== undefined && !widened.has(session)) {
      widened.add(session);
      widen(session);
    }
    // The peer is told to connect anew; calls that it has begun are answered.
    if (session !== undefined && !session.closed && !session.destroyed && options.isOutdated(session.socket)) session.close();
    guard(call, options);
    return new ServerInterceptingCall(call);
  };
}

function guard(
  call: CallInsides,
  { admission, intake, buffers, tokens, maxRequestBytes, retryAfterMs, arrivalTimeoutMs, isStopping }: GuardOptions,
): void {
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
  const [authorization, second] = call.metadata.get('authorization');
  const presented = second === undefined ? authorization?.toString() : undefined;
  if (tokens !== null && !tokens.admits(presented, 'grpc', stream.session?.socket?.remoteAddress)) refuse(refusal('unauthenticated'));
  else if (admission.isDraining || isStopping()) refuse(refusal('draining'));
  else if (!admission.hasRoom(1)) refuse(refusal('overloaded'));

  const frames = new GrpcFrames(maxRequestBytes, buffers);
  call.decoder = {
    write: (data) => {
      if (isAnswered) return [];
      if (!lease.grow(data.length)) {
        refuse(refusal('overloaded'));
        return [];
      }
      const messages = frames.write(data);
      if (messages !== null) return messages;
      refuse(refusal('too_large', `the request is larger than ${maxRequestBytes} bytes`));
      return [];
    },
  };
  call.decompressMessage = (message, encoding) => {
    const isCompressed = message[0] === 1;
    const compression = isCompressed ? compressionOf(encoding) : 'identity';
    if (compression === null) throw counted(refusal('unsupported_encoding'));
    const inflated = inflate(compression, message.subarray(PREFIX_BYTES), maxRequestBytes, lease);
    return inflated instanceof Promise
      ? inflated.then((done) => bytesOrStatus(done, message))
      : bytesOrStatus(inflated, isCompressed ? message : null);
  };
  const bytesOrStatus = (inflated: Inflated, compressed: Buffer | null): Buffer => {
    if ('bytes' in inflated) {
      // Inflated to the end, so its input is free; an inflation that is broken off may still be reading it.
      if (compressed !== null && inflated.bytes.buffer !== compressed.buffer) buffers.giveBack(compressed);
      return inflated.bytes;
    }
    throw counted(inflated.refused);
  };
  const counted = (refused: Refused) => {
    intake.refused(refused.outcome);
    return grpcStatus(refused, retryAfterMs);
  };
}

/**
 * HTTP/2 starts with windows of 64 kB, so a message of 512 spans stops four times to ask for more; grpc-js has no option for the windows of
 * a server. What arrives is bounded by admission, not by these.
 */
function widen(session: Http2Session): void {
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  session.settings({ initialWindowSize: STREAM_WINDOW_BYTES, maxFrameSize: FRAME_BYTES });
}

function hasInsides(call: ServerInterceptingCallInterface): call is CallInsides {
  return 'stream' in call && 'metadata' in call && 'decoder' in call && 'decompressMessage' in call;
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
