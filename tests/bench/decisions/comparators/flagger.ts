/** Flagger's built-in checks with their default limits: rolls back once so many one-minute checks of the canary have failed, in all. */
import type { Comparator, Said, Seconds } from '../method.ts';
import { Minute } from './minute.ts';

const MINUTE_SEC = 60;
/** request-success-rate and request-duration, as in its documentation. */
const MIN_SUCCESS = 0.99;
const MAX_P99_MS = 500;
/** FailedChecks is set back for a new revision only, so failures need not follow each other. */
const THRESHOLD = 5;

export class Flagger implements Comparator {
  rollback: number | null = null;
  #failedChecks = 0;
  readonly #minute = new Minute();

  get isDone(): boolean {
    return this.rollback !== null;
  }

  get said(): Said {
    return { rollback: this.rollback, promote: null, hold: null };
  }

  tick(second: number, { canary }: Seconds): void {
    if (second < 0) return;
    const minute = this.#minute;
    minute.add(canary);
    if ((second + 1) % MINUTE_SEC !== 0) return;
    if (1 - minute.errorRatio < MIN_SUCCESS || minute.quantileMs(0.99) > MAX_P99_MS) this.#failedChecks++;
    minute.clear();
    if (this.#failedChecks >= THRESHOLD) this.rollback = second + 1;
  }
}
