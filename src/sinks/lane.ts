/** The way to one sink: at most so many attempts at once, so that a slow sink holds up nobody but itself. */
import type { DurationMs } from '../model/time.ts';

export class Lane {
  readonly #maxInFlight: number;
  readonly #monotonicMs: () => DurationMs;
  readonly #urgent: (() => Promise<void>)[] = [];
  readonly #ready: (() => Promise<void>)[] = [];
  /** With the time at which each was begun. */
  readonly #inFlight = new Map<Promise<void>, DurationMs>();
  #closed = false;

  constructor(maxInFlight: number, monotonicMs: () => DurationMs) {
    this.#maxInFlight = maxInFlight;
    this.#monotonicMs = monotonicMs;
  }

  /** How long the oldest attempt in flight has taken; 0: there is none. */
  get oldestMs(): DurationMs {
    const [begun] = this.#inFlight.values();
    return begun === undefined ? 0 : this.#monotonicMs() - begun;
  }

  /** Starts an attempt as soon as there is room, what is urgent first, in order of asking. Attempts must not throw. */
  run(attempt: () => Promise<void>, isUrgent: boolean): void {
    if (this.#closed) return;
    (isUrgent ? this.#urgent : this.#ready).push(attempt);
    this.#pump();
  }

  /** Starts nothing more and resolves when what is in flight has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#urgent.length = 0;
    this.#ready.length = 0;
    await Promise.all(this.#inFlight.keys());
  }

  #pump(): void {
    while (this.#inFlight.size < this.#maxInFlight) {
      const attempt = this.#urgent.shift() ?? this.#ready.shift();
      if (attempt === undefined) return;
      const running = attempt().finally(() => {
        this.#inFlight.delete(running);
        this.#pump();
      });
      this.#inFlight.set(running, this.#monotonicMs());
    }
  }
}

/** The ways to all sinks, each made when it is first used. */
export class Lanes {
  readonly #maxInFlight: number;
  readonly #monotonicMs: () => DurationMs;
  readonly #lanes = new Map<string, Lane>();

  /** `maxInFlight`: at once through each. */
  constructor(maxInFlight: number, monotonicMs: () => DurationMs) {
    this.#maxInFlight = maxInFlight;
    this.#monotonicMs = monotonicMs;
  }

  /** See `Lane.oldestMs`. */
  get oldestMs(): DurationMs {
    return Math.max(0, ...[...this.#lanes.values()].map((lane) => lane.oldestMs));
  }

  /** See `Lane.run`. */
  run(name: string, attempt: () => Promise<void>, isUrgent: boolean): void {
    const lane = this.#lanes.get(name) ?? new Lane(this.#maxInFlight, this.#monotonicMs);
    this.#lanes.set(name, lane);
    lane.run(attempt, isUrgent);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }
}
