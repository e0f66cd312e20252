/** Time that moves only when a test says so. */
import { setImmediate } from 'node:timers/promises';

export class ManualTime {
  now: number;
  readonly #tasks = new Set<{ readonly at: number; readonly run: () => void }>();

  constructor(now: number) {
    this.now = now;
  }

  readonly schedule = (task: () => void, waitMs: number): (() => void) => {
    const entry = { at: this.now + waitMs, run: task };
    this.#tasks.add(entry);
    return () => this.#tasks.delete(entry);
  };

  get waiting(): number {
    return this.#tasks.size;
  }

  /** When the next task is due; null: none is scheduled. */
  get nextAt(): number | null {
    return this.#tasks.size === 0 ? null : Math.min(...[...this.#tasks].map(({ at }) => at));
  }

  /** Waits until something is scheduled, moves to when it is due, runs it, and returns how far that was. */
  async next(): Promise<number> {
    await until(() => this.#tasks.size > 0);
    const [first] = [...this.#tasks].sort((a, b) => a.at - b.at);
    if (first === undefined) throw new Error('nothing is scheduled');
    this.#tasks.delete(first);
    const waitedMs = Math.max(0, first.at - this.now);
    this.now += waitedMs;
    first.run();
    return waitedMs;
  }
}

/** Lets the event loop turn until something holds; the test's own time limit ends it otherwise. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate();
}
