/** Kayenta's rule on one-minute points, judged every minute: rolls back as soon as any metric is High. */
import type { Comparator, Said, Seconds } from '../method.ts';
import { isHigh } from './mann-whitney.ts';
import { Minute } from './minute.ts';

const MINUTE_SEC = 60;
/** Fewer points give absurd intervals. */
const MIN_POINTS = 5;

/** Percentiles in ms, errors in per cent: what its users chart. */
const METRICS: readonly ((minute: Minute) => number)[] = [
  (minute) => minute.quantileMs(0.5),
  (minute) => minute.quantileMs(0.95),
  (minute) => minute.quantileMs(0.99),
  (minute) => minute.errorRatio * 100,
];

export class Kayenta implements Comparator {
  rollback: number | null = null;
  readonly #minutes = { control: new Minute(), experiment: new Minute() };
  readonly #control: number[][] = METRICS.map(() => []);
  readonly #experiment: number[][] = METRICS.map(() => []);

  get isDone(): boolean {
    return this.rollback !== null;
  }

  get said(): Said {
    return { rollback: this.rollback, promote: null, hold: null };
  }

  tick(second: number, { baseline, canary }: Seconds): void {
    if (second < 0) return;
    const { control, experiment } = this.#minutes;
    control.add(baseline);
    experiment.add(canary);
    if ((second + 1) % MINUTE_SEC !== 0) return;
    METRICS.forEach((metric, index) => {
      // Points that are not numbers are left out, as Kayenta does by default.
      const [of, at] = [metric(control), metric(experiment)];
      if (!Number.isNaN(of)) this.#control[index]?.push(of);
      if (!Number.isNaN(at)) this.#experiment[index]?.push(at);
    });
    control.clear();
    experiment.clear();
    if (second + 1 < MIN_POINTS * MINUTE_SEC) return;
    if (this.#control.some((points, index) => isHigh(points, this.#experiment[index] as number[]))) this.rollback = second + 1;
  }
}
