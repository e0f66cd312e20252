/** One request to look at: names a trace, so that a person can open it in the tracing backend. */
import type { DurationMs, EpochMs } from './time.ts';

export interface Exemplar {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  readonly endpoint: string;
  /** Begin of the slot in which its span ended. */
  readonly at: EpochMs;
  /** Null when the span had no usable duration. */
  readonly durationMs: DurationMs | null;
  readonly failed: boolean;
}
