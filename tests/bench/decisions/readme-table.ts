/** The report as the README shows it. */
import { DEGRADATIONS, healthy, promotable, sick, threePods } from './cells.ts';
import type { MethodName } from './comparators/create.ts';
import { percent } from './demands.ts';
import type { CellFigures, MethodFigures } from './figures.ts';
import { HEALTHY_WORLDS, RATES } from './plan.ts';
import type { Report } from './report.ts';

const METHODS: readonly (readonly [MethodName, string])[] = [
  ['slipstream', 'Slipstream'],
  ['kayenta', 'Kayenta'],
  ['flagger', 'Flagger'],
  ['zTestTolerant', 'z-test, tolerant'],
  ['zTest', 'z-test'],
];

export function readmeTable(report: Report): string {
  const byId = new Map(report.cells.map((cell) => [cell.id, cell]));
  const heads = METHODS.map(([, label]) => label);
  const falseRows = HEALTHY_WORLDS.flatMap((world) =>
    RATES.map((rate) => [`${world}, ${rate}`, ...METHODS.map(([name]) => rateText(figuresOf(byId, healthy(world, rate, 1).id, name)))]),
  );
  const foundRows = Object.keys(DEGRADATIONS).flatMap((name) =>
    RATES.map((rate) => [`${name}, ${rate}`, ...METHODS.map(([method]) => medianText(figuresOf(byId, sick(name, rate, 1).id, method)))]),
  );
  const missed = report.demands.filter(({ isMet }) => !isMet);
  return [
    '![False rollbacks of healthy canaries and time to find sick ones, by method](docs/decisions.svg)',
    '',
    'Healthy canaries rolled back within an hour, by world and requests per second of the canary (≤: exact 95 % upper bound):',
    '',
    ...table(['world', ...heads], falseRows),
    '',
    'Seconds of event time until half of the sick canaries are rolled back, in the world `pods` (in brackets: found within the hour, where not all):',
    '',
    ...table(['what is wrong', ...heads], foundRows),
    '',
    promotionText(byId),
    podsText(byId),
    '',
    `Demands met: ${report.demands.length - missed.length} of ${report.demands.length}.${missed.length === 0 ? '' : ' Missed:'}`,
    ...missed.map(({ id, text, found }) => `- ${id} ${text}: ${found}`),
  ].join('\n');
}

/** `page` with what stands between its markers replaced; null when it has none. */
export function withTable(page: string, text: string): string | null {
  const [begin, end] = ['<!-- decisions:begin -->', '<!-- decisions:end -->'];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  return from < 0 || to < from ? null : `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
}

type Cells = ReadonlyMap<string, CellFigures>;

function figuresOf(cells: Cells, id: string, method: MethodName = 'slipstream'): MethodFigures | undefined {
  return cells.get(id)?.methods[method];
}

function rateText(figures: MethodFigures | undefined): string {
  if (figures === undefined) return '–';
  const { rollbacks, runs, rate, upper95 } = figures;
  return rollbacks <= 10 ? `${rollbacks} of ${runs} (≤ ${percent(upper95)})` : percent(rate);
}

function medianText(figures: MethodFigures | undefined): string {
  if (figures === undefined) return '–';
  const { medianSec, detected, runs } = figures;
  return `${medianSec ?? 'never'}${detected < runs ? ` (${percent(detected / runs)})` : ''}`;
}

function promotionText(cells: Cells): string {
  const said = ([0, 120] as const).map((warmupSec) => {
    const figures = figuresOf(cells, promotable('pods', 10, 1, warmupSec).id);
    const median = figures?.promotedMedianSec ?? '–';
    return `${figures === undefined ? '–' : percent(figures.promotedBy600 / figures.runs)} by 600 s (median ${median} s) with a warm-up of ${warmupSec} s`;
  });
  return `Healthy canaries of 10 requests a second are promoted: ${said.join(', ')}.`;
}

function podsText(cells: Cells): string {
  const named = figuresOf(cells, threePods('stall', 100, 1, true).id);
  const unnamed = figuresOf(cells, threePods('stall', 100, 1, false).id);
  const errors = figuresOf(cells, threePods('pods', 100, 1, true, 'err 5%').id);
  return `With three canary pods of sixty whose spans name them, single pods that stall for 20 s roll back ${rateText(named)} (without names ${rateText(unnamed)}), and 5 % errors are found in ${medianText(errors)} s.`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line)];
}
