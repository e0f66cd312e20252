/** An encoded request whose span times are written anew each time it is sent, so that load costs its generator next to nothing. */
import { encodeRequest, type RequestInput } from '../support/otlp-proto.ts';

/** Span { 7 start_time_unix_nano fixed64, 8 end_time_unix_nano fixed64 }: protobufjs writes one right behind the other. */
const END_TAG = 0x41;
const TIME_BYTES = 8;

export class TimedRequest {
  readonly bytes: Buffer;
  readonly spans: number;
  readonly #startAt: number[] = [];
  readonly #durationNs: number[] = [];

  /** Every span must have its times, as bigint. */
  constructor(input: RequestInput) {
    this.bytes = Buffer.from(encodeRequest(input));
    const wanted = Buffer.alloc(TIME_BYTES);
    let from = 0;
    for (const { scopeSpans } of input.resourceSpans ?? []) {
      for (const { startTimeUnixNano: start, endTimeUnixNano: end } of scopeSpans?.flatMap(({ spans }) => spans ?? []) ?? []) {
        if (typeof start !== 'bigint' || typeof end !== 'bigint') throw new TypeError('a span without its times');
        wanted.writeBigUInt64LE(start);
        const at = this.bytes.indexOf(wanted, from);
        if (at < 0 || this.bytes[at + TIME_BYTES] !== END_TAG) throw new Error('the times of a span are not where they should be');
        this.#startAt.push(at);
        this.#durationNs.push(Number(end - start));
        from = at + TIME_BYTES;
      }
    }
    this.spans = this.#startAt.length;
  }

  /** Spreads the ends of the spans evenly over the `spreadMs` up to `newestEndMs`, in their order. `stretch` draws a factor for each duration. */
  stamp(newestEndMs: number, spreadMs: number, stretch: () => number = () => 1): void {
    const last = this.spans - 1;
    for (let i = 0; i <= last; i++) {
      const end = BigInt(Math.floor((newestEndMs - ((last - i) / this.spans) * spreadMs) * 1000)) * 1000n;
      const at = this.#startAt[i] as number;
      this.bytes.writeBigUInt64LE(end - BigInt(Math.round((this.#durationNs[i] as number) * stretch())), at);
      this.bytes.writeBigUInt64LE(end, at + TIME_BYTES + 1);
    }
  }
}
