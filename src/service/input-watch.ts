/** Shows how far judging is behind, and says so once it has been for a while and once it no longer is. */
import { inputsView } from '../engine/inputs-view.ts';
import type { SourceBook } from '../engine/source-book.ts';
import { reasonText } from '../model/reason-text.ts';
import type { DurationMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Clock } from './clock.ts';

/** Every start takes a moment until all sources were heard of. */
const TOLD_AFTER_MS: DurationMs = 15_000;
/** Sources that a log line names. */
const MAX_NAMED = 5;

export class InputWatch {
  readonly #sources: SourceBook;
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  /** Monotonic clock since which there is a doubt; null: there is none. */
  #doubtfulSince: DurationMs | null = null;
  #isTold = false;

  constructor(sources: SourceBook, { telemetry, clock }: { readonly telemetry: Telemetry; readonly clock: Clock }) {
    this.#sources = sources;
    this.#telemetry = telemetry;
    this.#clock = clock;
  }

  /** To be called about twice a second. */
  look(): void {
    const { log } = this.#telemetry;
    const now = this.#clock.now();
    const at = this.#clock.monotonicMs();
    const doubt = this.#sources.doubt(now);
    if (doubt === null) {
      if (this.#isTold) log.info({ forMs: at - (this.#doubtfulSince ?? at) }, 'all spans up to now are counted again: verdicts are given');
      this.#isTold = false;
      this.#doubtfulSince = null;
      return;
    }
    this.#doubtfulSince ??= at;
    if (this.#isTold || at - this.#doubtfulSince < TOLD_AFTER_MS) return;
    this.#isTold = true;
    const { lagMs, waitedFor, givenUp, lagging } = inputsView(this.#sources, now);
    const named = lagging.slice(0, MAX_NAMED).map(({ source }) => source);
    log.warn(
      { doubt, why: reasonText(doubt), lagMs, waitedFor, givenUp, sources: named },
      'verdicts wait for spans that are not counted yet',
    );
  }

  showCounts(): void {
    const { lagMs, waitedFor, givenUp } = inputsView(this.#sources, this.#clock.now());
    if (lagMs === null) this.#telemetry.unset('stream_lag_seconds');
    else this.#telemetry.set('stream_lag_seconds', lagMs / 1000);
    this.#telemetry.set('sources_waited_for', waitedFor);
    this.#telemetry.set('sources_given_up', givenUp);
  }
}
