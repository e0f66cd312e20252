/** What the figures must show: the demands of the statistics, each with the number found and whether it is met. */
import type { MethodName } from './comparators/create.ts';
import type { CellFigures, MethodFigures } from './figures.ts';

export interface Demand {
  /** As the statistics number them. */
  readonly id: string;
  readonly text: string;
  judge(figuresOf: FiguresOf): Finding;
}

export interface Finding {
  readonly found: string;
  readonly isMet: boolean;
}

/** Figures of a method in a cell; throws when there are none. */
export type FiguresOf = (cell: string, method?: MethodName) => MethodFigures;

export function figuresLookup(cells: readonly CellFigures[]): FiguresOf {
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  return (id, method = 'slipstream') => {
    const figures = byId.get(id)?.methods[method];
    if (figures === undefined) throw new RangeError(`no figures of ${method} for ${id}`);
    return figures;
  };
}

/** At most so many rollbacks in each of the cells. */
export function rollbacksPerCell(id: string, what: string, cells: readonly string[], most: number): Demand {
  return {
    id,
    text: `${what}: at most ${most} false rollbacks in any cell`,
    judge(figuresOf) {
      const worst = cells.map((cell) => ({ cell, ...figuresOf(cell) })).toSorted((a, b) => b.rollbacks - a.rollbacks)[0];
      if (worst === undefined) return { found: 'nothing', isMet: false };
      return { found: `most: ${worst.rollbacks} of ${worst.runs} (${worst.cell})`, isMet: worst.rollbacks <= most };
    },
  };
}

export function rollbacksInAll(id: string, what: string, cells: readonly string[], most: number): Demand {
  return {
    id,
    text: `${what}: at most ${most} false rollbacks in all cells together`,
    judge(figuresOf) {
      const all = cells.map((cell) => figuresOf(cell));
      const rollbacks = all.reduce((sum, each) => sum + each.rollbacks, 0);
      return { found: `${rollbacks} of ${all.reduce((sum, each) => sum + each.runs, 0)}`, isMet: rollbacks <= most };
    },
  };
}

/** A rate of rollbacks within [least, most], as shares. */
export function rollbackRate(
  id: string,
  what: string,
  cell: string,
  least: number,
  most: number,
  method: MethodName = 'slipstream',
): Demand {
  const bounds =
    most === 1 ? `at least ${percent(least)}` : least === 0 ? `at most ${percent(most)}` : `${percent(least)} to ${percent(most)}`;
  return {
    id,
    text: `${what}: ${bounds} rolled back`,
    judge(figuresOf) {
      const { rate, rollbacks, runs } = figuresOf(cell, method);
      return { found: `${percent(rate)} (${rollbacks} of ${runs})`, isMet: rate >= least && rate <= most };
    },
  };
}

/** Found in so many of the rollouts, and by the median so soon. */
export function detection(id: string, what: string, cell: string, medianSec: number, least = 0.95): Demand {
  return {
    id,
    text: `${what}: median at most ${medianSec} s, found in ${percent(least)}`,
    judge(figuresOf) {
      const { detected, runs, medianSec: found } = figuresOf(cell);
      const isMet = found !== null && found <= medianSec && detected >= least * runs;
      return { found: `${found ?? '–'} s, ${percent(detected / runs)}`, isMet };
    },
  };
}

/** Promoted by 600 s in at least this share. */
export function promotion(id: string, what: string, cell: string, least: number): Demand {
  return {
    id,
    text: `${what}: promoted by 600 s in at least ${percent(least)}`,
    judge(figuresOf) {
      const { promotedBy600, promotedMedianSec, runs } = figuresOf(cell);
      const found = `${percent(promotedBy600 / runs)}, median ${promotedMedianSec ?? '–'} s`;
      return { found, isMet: promotedBy600 >= least * runs };
    },
  };
}

/** Promoted in at most beta, with three standard deviations of chance. */
export function falsePromotion(id: string, what: string, cells: readonly string[], beta: number): Demand {
  return {
    id,
    text: `${what}: promoted in at most ${percent(beta)} and three standard deviations`,
    judge(figuresOf) {
      const all = cells.map((cell) => ({ cell, ...figuresOf(cell) }));
      const isBeyond = ({ promoted, runs }: MethodFigures) => promoted > runs * beta + 3 * Math.sqrt(runs * beta * (1 - beta));
      const worst = all.toSorted((a, b) => b.promoted / b.runs - a.promoted / a.runs)[0];
      if (worst === undefined) return { found: 'nothing', isMet: false };
      return { found: `most: ${worst.promoted} of ${worst.runs} (${worst.cell})`, isMet: !all.some(isBeyond) };
    },
  };
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(share * 100 >= 99.5 ? 3 : 2))} %`;
}
