/** What sources of spans say of how far their counts are complete: judging must not run ahead of any of them. */
import type { EpochMs } from './time.ts';

/** A partition of a topic of spans (`topic/partition`), or one ingest member that takes OTLP. */
export interface SourceProgress {
  readonly source: string;
  /** Everything that arrived at the source by this time is counted in the deltas told of before. Never goes back. */
  readonly completeUntilMs: EpochMs;
  /** True: nothing more will come from it, and nobody is to wait for it. */
  readonly isClosed: boolean;
}

/** Spans that were never counted, by the times between which they arrived; null: unknown. */
export interface SourceGap {
  readonly source: string;
  readonly reason: 'retention' | 'recreated' | 'truncated' | 'poison' | 'crash';
  readonly fromMs: EpochMs | null;
  readonly toMs: EpochMs | null;
  /** For people: `otlp_spans/3: offsets 100 to 250 were deleted before they were read`. */
  readonly text: string;
}

/** One report: of a process about its own inputs, or of an ingest member, as a record of the delta topic. */
export interface ProgressReport {
  /** Who reports. */
  readonly member: string;
  readonly progress: readonly SourceProgress[];
  /** Every source that ought to be heard of, as far as the reporter knows: all partitions of its topics, whoever reads them. */
  readonly expected: readonly string[];
  readonly gaps: readonly SourceGap[];
}
