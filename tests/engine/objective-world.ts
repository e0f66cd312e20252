/** An engine with objectives, the real stage A in front of it, and all that it says of the objectives. */
import { Engine } from '../../src/engine.ts';
import type { SavedState } from '../../src/model/checkpoint.ts';
import type { Exclusion, Objective } from '../../src/model/objective.ts';
import type { Policies } from '../../src/model/policy.ts';
import type { SlotDeltas } from '../../src/model/slot-deltas.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { policies } from '../support/policies.ts';
import { type Span, Stream } from '../window/stream.ts';

export const LIMIT_NS = 100e6;
const LEVELS = { 1: 0, 10: 0, 60: 0, 600: 0, 3600: 0 } as const;

export interface Request {
  readonly at: number;
  readonly failed?: boolean;
  readonly slow?: boolean;
  readonly series?: number;
  readonly durationUs?: number;
  readonly weight?: number;
  /** Bits of the event rules `0` and `1` it is valid for; bad too when it failed. */
  readonly valid?: number;
}

export class World {
  readonly stream = new Stream({ thresholdsNs: [LIMIT_NS], rules: 2 });
  readonly store = new MemoryStore();
  objectives: readonly Objective[];
  #policies: Policies;
  engine: Engine;
  at = Number.NEGATIVE_INFINITY;

  constructor(objectives: readonly Objective[], exclusions: readonly Exclusion[] = []) {
    this.objectives = objectives;
    this.#policies = withExclusions(policies({ objectives }), exclusions);
    this.engine = new Engine(this.#policies, this.stream.layout);
  }

  get feed() {
    return this.engine.objectives;
  }

  /** A flush of these requests, which is not merged yet. */
  flush(requests: readonly Request[]): SlotDeltas {
    const spans = requests.map(
      ({ at, failed = false, slow = false, series = 1, durationUs, weight = 1, valid = 0 }): Span => ({
        series,
        endMs: at,
        durationUs: durationUs ?? (slow ? 200_000 : 20_000),
        failed,
        weight,
        valid,
      }),
    );
    this.stream.add(spans);
    this.at = Math.max(this.at, ...requests.map(({ at }) => at));
    return this.stream.flush();
  }

  send(...requests: Request[]): void {
    this.engine.merge(this.flush(requests));
  }

  /** Time moves on to what was sent last, or `now`. */
  advance(now = this.at): void {
    this.engine.advance(now);
  }

  /** A new file names these. */
  declare(objectives: readonly Objective[], exclusions: readonly Exclusion[] = []): void {
    this.objectives = objectives;
    this.#policies = withExclusions(policies({ objectives }), exclusions);
    this.engine.reconfigure(this.#policies);
  }

  /** Stops and goes on, away for `awayMs`. */
  restart(awayMs = 0): void {
    this.store.checkpoint(this.engine.checkpoint(this.at));
    this.engine = new Engine(this.#policies, this.stream.layout);
    this.engine.restore(this.store.load(LEVELS) satisfies SavedState, this.at + awayMs);
  }

  /** Everything the feed tells of every objective. */
  told(at = this.at): unknown {
    const { feed } = this;
    return this.objectives.map((objective) => ({
      id: objective.id,
      total: feed.total(objective, at),
      lastHour: feed.over(objective, at - 3_600_000, at),
      lastMinutes: feed.over(objective, at - 300_000, at),
      hours: feed.hours(objective, at - 40 * 86_400_000, at),
      ledger: feed.ledger(objective, at),
      coverage: feed.coverage(objective, at),
      excluded: feed.excluded(objective, at),
      countedSince: feed.countedSince(objective),
    }));
  }
}

export function withExclusions(given: Policies, exclusions: readonly Exclusion[]): Policies {
  return { ...given, services: new Map([...given.services].map(([name, policy]) => [name, { ...policy, exclusions }])) };
}
