/** What a cell showed, method by method. */
import type { Cell } from './cells.ts';
import { METHOD_NAMES, type MethodName } from './comparators/create.ts';
import type { Outcome } from './rollout.ts';
import { quantile, upperBound } from './statistics.ts';

export interface MethodFigures {
  readonly runs: number;
  /** Rolled back at any time; for healthy canaries that is false. */
  readonly rollbacks: number;
  readonly rate: number;
  /** Exact one-sided 95 % upper bound of the rate. */
  readonly upper95: number;
  /** Rolled back after the onset, and how many seconds of event time after it; null when too few were. */
  readonly detected: number;
  readonly medianSec: number | null;
  readonly p90Sec: number | null;
  /** Promoted without a rollback, and when. */
  readonly promoted: number;
  readonly promotedMedianSec: number | null;
  readonly promotedBy600: number;
  /** Asked to wait at some time. */
  readonly held: number;
}

export interface CellFigures {
  readonly id: string;
  readonly methods: Readonly<Partial<Record<MethodName, MethodFigures>>>;
}

/** Promotion is asked for by then. */
const PROMOTION_SEC = 600;

export function cellFigures(cell: Cell, outcomes: readonly Outcome[]): CellFigures {
  const methods = METHOD_NAMES.flatMap((name): [MethodName, MethodFigures][] => {
    const said = outcomes.flatMap((outcome) => outcome[name] ?? []);
    const runs = said.length;
    if (runs === 0) return [];
    const rollbacks = said.flatMap(({ rollback }) => rollback ?? []);
    const delays = rollbacks.filter((at) => at > cell.traffic.onset).map((at) => at - cell.traffic.onset);
    const promotions = said.flatMap(({ promote }) => promote ?? []);
    const figures: MethodFigures = {
      runs,
      rollbacks: rollbacks.length,
      rate: rollbacks.length / runs,
      upper95: upperBound(rollbacks.length, runs),
      detected: delays.length,
      medianSec: quantile(delays, runs, 0.5),
      p90Sec: quantile(delays, runs, 0.9),
      promoted: promotions.length,
      promotedMedianSec: quantile(promotions, runs, 0.5),
      promotedBy600: promotions.filter((at) => at <= PROMOTION_SEC).length,
      held: said.filter(({ hold }) => hold !== null).length,
    };
    return [[name, figures]];
  });
  return { id: cell.id, methods: Object.fromEntries(methods) };
}
