/** How far the counts of all sources are complete: the time that judging lives in, and why it may not trust it. */
import type { StoredNote } from '../model/checkpoint.ts';
import type { InputDoubt } from '../model/judgement.ts';
import type { ProgressReport, SourceGap } from '../model/source-progress.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

export interface SourceBookOptions {
  /** Judging waits so long for a source that lags or is not heard of, then goes on without it and says so. */
  readonly waitMs: DurationMs;
}

export interface SourceView {
  readonly source: string;
  readonly completeUntilMs: EpochMs;
  readonly isWaitedFor: boolean;
}

/** The wall clock is passed in; it may step back, and then no time of this goes back with it. */
export class SourceBook {
  readonly options: SourceBookOptions;

  constructor(options: SourceBookOptions) {
    this.options = options;
  }

  report(_report: ProgressReport, _now: EpochMs): void {}

  /** Spans were lost. To be told once each. */
  lost(_gap: SourceGap, _now: EpochMs): void {}

  streamTime(now: EpochMs): EpochMs {
    return now;
  }

  doubt(_now: EpochMs): InputDoubt | null {
    return null;
  }

  sources(_now: EpochMs): readonly SourceView[] {
    return [];
  }

  snapshot(): readonly StoredNote[] {
    return [];
  }

  restore(_notes: readonly StoredNote[]): void {}
}
