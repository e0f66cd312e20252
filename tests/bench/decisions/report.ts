/** The figures as tables: for a terminal, and for the page of the project. */
import type { MethodName } from './comparators/create.ts';
import { type Demand, type Finding, figuresLookup, percent } from './demands.ts';
import type { CellFigures } from './figures.ts';

export interface Judged extends Finding {
  readonly id: string;
  readonly text: string;
}

/** All that was found: the same seeds give the same report. */
export interface Report {
  readonly cells: readonly CellFigures[];
  readonly demands: readonly Judged[];
}

/** Demands whose cells were not simulated are left out. */
export function reportOf(cells: readonly CellFigures[], demands: readonly Demand[]): Report {
  const figuresOf = figuresLookup(cells);
  const judged = demands.flatMap((demand): Judged[] => {
    try {
      return [{ id: demand.id, text: demand.text, ...demand.judge(figuresOf) }];
    } catch (error) {
      if (error instanceof RangeError) return [];
      throw error;
    }
  });
  return { cells, demands: judged };
}

const SHORT: Readonly<Record<MethodName, string>> = {
  slipstream: 'slipstream',
  kayenta: 'kayenta',
  flagger: 'flagger',
  zTest: 'z-test',
  zTestTolerant: 'z-test, tolerant',
  cumulativeBets: 'cumulated bets',
};

/** One line per cell and method, then one per demand. */
export function textOf(report: Report): string {
  const lines = [
    'cell                                      method              runs  rolled back   95 % below   median s   p90 s   promoted   median s   held',
  ];
  for (const { id, methods } of report.cells) {
    for (const [name, figures] of Object.entries(methods)) {
      const { runs, rollbacks, rate, upper95, medianSec, p90Sec, promoted, promotedMedianSec, held } = figures;
      lines.push(
        [
          id.padEnd(40),
          SHORT[name as MethodName].padEnd(17),
          String(runs).padStart(5),
          `${rollbacks} = ${percent(rate)}`.padStart(13),
          percent(upper95).padStart(12),
          String(medianSec ?? '–').padStart(10),
          String(p90Sec ?? '–').padStart(7),
          percent(promoted / runs).padStart(10),
          String(promotedMedianSec ?? '–').padStart(10),
          String(held).padStart(6),
        ].join(' '),
      );
    }
  }
  lines.push('');
  for (const { id, text, found, isMet } of report.demands) lines.push(`${isMet ? 'met   ' : 'MISSED'} ${id.padEnd(4)} ${text}: ${found}`);
  return lines.join('\n');
}
