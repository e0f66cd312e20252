/** Callers that wait for a verdict: woken when runs change, never by asking again and again. */
import { isFinal } from '../decide/run-state.ts';
import type { AnalysisRun } from '../model/rollout.ts';
import type { DurationMs } from '../model/time.ts';

/** Beyond it callers are answered at once: each waiting one holds a connection of the API. */
export const MAX_WAITING = 100;

/** True when there is nothing to wait for any more: the verdict asks to promote or roll back, or the run is over. */
export function isSettled({ state, verdict }: Pick<AnalysisRun, 'state' | 'verdict'>): boolean {
  return isFinal(state) || verdict.decision === 'promote' || verdict.decision === 'rollback';
}

export class SettledRuns {
  readonly #find: (id: string) => AnalysisRun | null;
  readonly #waiting = new Set<() => void>();
  #isStopped = false;

  constructor(find: (id: string) => AnalysisRun | null) {
    this.#find = find;
  }

  /** Callers that wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * The run as soon as it is settled, or as it stands after `waitMs`, when `abort` fires, when too many wait already, or when the service stops.
   * Null: no such run, then or any more.
   */
  async wait(id: string, waitMs: DurationMs, abort: AbortSignal): Promise<AnalysisRun | null> {
    const run = this.#find(id);
    if (run === null || isSettled(run) || !(waitMs > 0)) return run;
    if (this.#isStopped || abort.aborted || this.#waiting.size >= MAX_WAITING) return run;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        abort.removeEventListener('abort', done);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        const now = this.#find(id);
        if (this.#isStopped || now === null || isSettled(now)) done();
      };
      const timer = setTimeout(done, waitMs);
      abort.addEventListener('abort', done);
      this.#waiting.add(look);
    });
    return this.#find(id);
  }

  /** To be called when runs may have changed. */
  look(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Lets all go; nobody waits after it. */
  stop(): void {
    this.#isStopped = true;
    this.look();
  }
}
