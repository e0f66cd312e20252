/** Joins stage A to judging on one machine: request bytes in, flushes to be merged out. */
import type { Ingest, IngestOutcome } from '../ingest.ts';
import type { DurationMs } from '../model/time.ts';
import type { RunningTelemetry } from '../telemetry/create-telemetry.ts';
import type { Clock } from './clock.ts';
import type { Judging } from './judging.ts';
import { SpanCounts } from './span-counts.ts';

/** After this long without a new slot what is pending is flushed all the same: the stream has paused. */
const PAUSE_MS = 1_500;

export interface PipelineParts {
  readonly ingest: Ingest;
  readonly judging: Judging;
  readonly telemetry: RunningTelemetry;
  readonly clock: Clock;
}

export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #counts = new SpanCounts();
  #lastFlush: DurationMs;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#lastFlush = parts.clock.monotonicMs();
  }

  /** Counts one request, and judges when it opened a new slot. */
  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array): IngestOutcome {
    const { ingest, clock } = this.#parts;
    const outcome = ingest.consume(encoding, bytes, clock.now());
    if (ingest.flushDue()) this.#turn();
    return outcome;
  }

  /** Time has passed: flushes a stream that paused, and moves runs on. To be called about twice a second. */
  tick(): void {
    const { ingest, clock } = this.#parts;
    if (ingest.pending > 0 && clock.monotonicMs() - this.#lastFlush >= PAUSE_MS) {
      this.#turn();
      this.#parts.judging.retry();
    } else this.#parts.judging.tick();
    this.showCounts();
  }

  /** Flushes and judges what is pending, then checkpoints: the last act before the store closes. True when all is durable. */
  finish(): boolean {
    if (this.#parts.ingest.pending > 0) this.#turn();
    return this.#parts.judging.checkpoint('whole');
  }

  /** Brings the metrics up to what has been counted. */
  showCounts(): void {
    this.#counts.show(this.#parts.ingest, this.#parts.telemetry);
    this.#parts.judging.showCounts();
  }

  #turn(): void {
    this.#lastFlush = this.#parts.clock.monotonicMs();
    this.#parts.judging.turn([this.#parts.ingest.flush()]);
  }
}
