/** Event times of which spans may be missing, because they were lost or their source was given up: runs pass over them. */
import type { StoredNote } from '../model/checkpoint.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { type Span, TimeSpans } from './time-spans.ts';

const NOTE = 'unobserved';
/** So far behind the newest event no run is judged any more. */
const KEPT_MS: DurationMs = 15 * 60_000;

export class Unobserved {
  readonly #spans = new TimeSpans();

  add(fromMs: EpochMs, toMs: EpochMs): void {
    this.#spans.add([fromMs, toMs]);
  }

  /** End of the time around `at` of which spans may be missing, those included that would have come `lagMs` late; null: none is. */
  to(at: EpochMs, lagMs: DurationMs): EpochMs | null {
    return (this.#spans.around(at) ?? this.#spans.around(at + lagMs))?.[1] ?? null;
  }

  /** Forgets what is long before `newestMs`. */
  snapshot(newestMs: EpochMs): StoredNote[] {
    this.#spans.dropBefore(newestMs - KEPT_MS);
    return [{ key: NOTE, json: JSON.stringify(this.#spans.all) }];
  }

  restore(notes: readonly StoredNote[]): void {
    const note = notes.find(({ key }) => key === NOTE);
    if (note !== undefined) for (const span of JSON.parse(note.json) as readonly Span[]) this.#spans.add(span);
  }
}
