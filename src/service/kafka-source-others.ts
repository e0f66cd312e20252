/** Notices partitions that the group gave to somebody else: in one process every partition must be ours, or counts are half of what they should be. */
import type { DurationMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** A change of members gives partitions back and forth. */
const PATIENCE_MS: DurationMs = 10_000;
const MAX_NAMED = 20;

export class OthersWatch {
  readonly #telemetry: Telemetry;
  readonly #group: string;
  #since: DurationMs | null = null;
  #told = '';

  constructor(telemetry: Telemetry, group: string) {
    this.#telemetry = telemetry;
    this.#group = group;
  }

  /** To be called about twice a second while the group answers. */
  look(expected: readonly string[], ours: ReadonlySet<string>, monotonicMs: DurationMs): void {
    const missing = expected.filter((name) => !ours.has(name));
    if (missing.length === 0) {
      if (this.#told !== '') this.#telemetry.log.info({ group: this.#group }, 'all partitions are ours again');
      this.#since = null;
      this.#told = '';
      return;
    }
    this.#since ??= monotonicMs;
    const named = missing.join();
    if (monotonicMs - this.#since < PATIENCE_MS || named === this.#told) return;
    this.#told = named;
    this.#telemetry.log.error(
      { group: this.#group, partitions: missing.slice(0, MAX_NAMED), count: missing.length },
      'another member of the group reads these partitions, so no verdict is given: a process that judges by itself needs a group of its own',
    );
  }
}
