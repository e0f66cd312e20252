/** Runs recorded requests through the two stages, with the recording's own time for a clock: the same decisions as live, in seconds. */
import type { Config } from '../config/config.ts';
import { SpanDecoder } from '../decode/decoder.ts';
import type { RolloutRequest } from '../engine/rollouts.ts';
import type { IngestOutcome } from '../ingest.ts';
import { ObservationBatch } from '../model/observation-batch.ts';
import type { AnalysisRun, Signal, Verdict } from '../model/rollout.ts';
import type { SeriesInterner } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import type { StatusView } from '../model/views.ts';
import { Stages } from '../service/stages.ts';

/** A request arrived after most of its spans ended; by this much its last ones may lie ahead of their median. */
const ARRIVAL_SLACK_MS = 60_000;

export interface ReplayedVerdict {
  readonly rollout: string;
  readonly service: string;
  readonly verdict: Verdict;
  readonly signal: Signal | null;
}

/** A rollout as the deploy system announced it; it starts when the recording reaches that time. */
export type RecordedRollout = RolloutRequest & { readonly startedAt: EpochMs };

export class ReplaySession {
  readonly verdicts: ReplayedVerdict[] = [];
  readonly #stages: Stages;
  readonly #waiting: RecordedRollout[];
  readonly #times: SpanDecoder;
  readonly #batch = new ObservationBatch();
  #clock: EpochMs = Number.NEGATIVE_INFINITY;
  spans = 0;
  rejected = 0;

  constructor(config: Config, rollouts: readonly RecordedRollout[]) {
    this.#stages = new Stages({ config, source: 'replay', epoch: 'replay', hashSeed: 0 });
    this.#waiting = rollouts.toSorted((a, b) => a.startedAt - b.startedAt);
    const anyTime = { ...config.spans, maxSkewMs: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY };
    this.#times = new SpanDecoder(anyTime, NO_NAMES);
  }

  /** One request, in the order of the recording. */
  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array): IngestOutcome {
    this.#moveClock(encoding, bytes);
    const { ingest } = this.#stages;
    const outcome = ingest.consume(encoding, bytes, this.#clock + ARRIVAL_SLACK_MS);
    if (outcome.kind === 'accepted') {
      this.spans += outcome.accepted;
      this.rejected += outcome.rejected;
    }
    if (ingest.flushDue()) this.#turn();
    return outcome;
  }

  /** The end of the recording: counts what is pending. What the watermark has not passed stays unjudged, as it would live at that moment. */
  finish(): void {
    this.#turn();
  }

  status(windowMs: number): StatusView {
    return this.#stages.engine.views.status(windowMs, this.#clock);
  }

  runs(): readonly AnalysisRun[] {
    return [...this.#stages.engine.rollouts.all()].map((run) => run.view());
  }

  /** Rollouts that the recording ended before. */
  get notStarted(): readonly RecordedRollout[] {
    return this.#waiting;
  }

  #turn(): void {
    const { ingest, engine } = this.#stages;
    while (this.#waiting[0] !== undefined && this.#waiting[0].startedAt <= this.#clock) {
      const rollout = this.#waiting.shift() as RecordedRollout;
      engine.startRollout(rollout, rollout.startedAt);
    }
    engine.merge(ingest.flush());
    for (const { run, signal } of engine.advance(this.#clock)) {
      this.verdicts.push({ rollout: run.rollout.id, service: run.rollout.service, verdict: run.verdict, signal });
    }
  }

  /** The clock at which the request arrived is not recorded; the newest of its spans that is not far ahead of their median comes close. */
  #moveClock(encoding: 'protobuf' | 'json', bytes: Uint8Array): void {
    const batch = this.#batch;
    if (this.#times.decode(encoding, bytes, 0, batch) !== null || batch.size === 0) return;
    const ends = batch.endMs.slice(0, batch.size).sort();
    const median = ends[batch.size >> 1] as EpochMs;
    const newest = ends.findLast((end) => end <= median + ARRIVAL_SLACK_MS) as EpochMs;
    this.#clock = Math.max(this.#clock, newest);
  }
}

const NO_NAMES: SeriesInterner = { resource: () => 0, lane: () => 0, series: () => 0 };
