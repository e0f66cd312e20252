/** Why an objective stands as it does, on one page of plain text with the arithmetic spelled out: the same for API and command line. */
import { errorBudget } from './error-budget.ts';
import { lengthText, momentText, percent, whole } from './number-text.ts';
import { shortened, visible, wrapped } from './safe-text.ts';
import {
  alertText,
  allowedText,
  badText,
  budgetText,
  burnText,
  countText,
  coverageText,
  forecastText,
  signedPercent,
  sliText,
  spanText,
  spentText,
  stateText,
  tierText,
} from './slo-text.ts';
import type { DeliveryFigures, ObjectiveReport, SloReport, TrendView } from './slo-views.ts';
import { textTable } from './text-table.ts';

/** A page that is longer is not read by who was woken up by it. */
export const MAX_LINES = 60;
const COLUMNS = 118;
const MAX_COLUMNS = 160;
const CELL_COLUMNS = 48;
const LABEL_COLUMNS = 11;
const MAX_SPENDERS = 8;
const MAX_INCIDENTS = 5;
const MAX_TIERS = 8;
const MAX_TRENDS = 3;

interface Section {
  readonly title: string | null;
  readonly lines: readonly string[];
}

/** The page, line by line, at most `MAX_LINES`; deterministic, and safe to print whatever names the telemetry carries. */
export function sloExplanation(objective: ObjectiveReport, report: SloReport): string[] {
  const service = report.services.find((of) => of.service === objective.service);
  const sections: readonly Section[] = [
    { title: null, lines: folded(headLines(objective)) },
    { title: 'The budget', lines: folded(budgetLines(objective)) },
    { title: 'Alerts', lines: alertLines(objective) },
    { title: `Who spent it, since ${momentText(objective.ledger.from)}`, lines: spenderLines(objective) },
    { title: 'Incidents', lines: incidentLines(objective) },
    { title: 'Forecast', lines: folded([forecastText(objective, report.now)]) },
    { title: 'What was left out and what was heard', lines: folded(coverageLines(objective, service?.excludedNow ?? [])) },
    { title: 'How the service delivers', lines: service === undefined ? [] : folded(deliveryLines(service.delivery, service.trends)) },
    { title: null, lines: [fact('rules', `configuration ${report.policyRevision}; as of ${momentText(report.now)}`)] },
  ];
  const lines = sections
    .flatMap(printed)
    .slice(1)
    .map((line) => shortened(visible(line), MAX_COLUMNS));
  return lines.length <= MAX_LINES ? lines : [...lines.slice(0, MAX_LINES - 1), `… and ${lines.length - MAX_LINES + 1} more lines`];
}

function printed({ title, lines }: Section): string[] {
  if (lines.length === 0) return [];
  return title === null ? ['', ...lines] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function folded(lines: readonly string[]): string[] {
  return lines.flatMap((line) => wrapped(line, COLUMNS, ' '.repeat(LABEL_COLUMNS)));
}

function fact(label: string, text: string): string {
  return label.padEnd(LABEL_COLUMNS) + text;
}

function headLines(objective: ObjectiveReport): string[] {
  const { id, service, endpoint, text, state, unit, counts, target, window, countedSince, allowedBad } = objective;
  const verdict =
    state === 'no_data'
      ? 'nothing valid was counted in its window'
      : `${countText(counts.bad)} of ${countText(counts.valid)} ${unit} were bad, ${countText(allowedBad)} may be`;
  const isYoung = countedSince !== null && countedSince > counts.from;
  return [
    `${shortened(visible(id), COLUMNS / 2)} is ${stateText(state)}: ${verdict}`,
    '',
    fact('objective', `${text}, of ${endpoint === null ? 'all requests' : endpoint} of ${service}`),
    fact('window', `${window}: ${momentText(counts.from)} to ${momentText(counts.to)}`),
    fact('SLI', `${sliText(counts, target)}${counts.valid > 0 ? ` good ${unit}` : ''}, target ${percent(target)}`),
    ...(isYoung ? [fact('counted', `since ${momentText(countedSince)} only: before, nothing was counted for it`)] : []),
    ...lookFirst(objective),
  ];
}

/** Where most of what was bad happened. */
function lookFirst({ ledger }: ObjectiveReport): string[] {
  const all = ledger.rows.reduce((sum, { bad }) => sum + bad, 0);
  if (all === 0) return [];
  const { endpoint, release, bad } = ledger.rows.reduce((most, row) => (row.bad > most.bad ? row : most));
  const where = `${shortened(visible(endpoint), CELL_COLUMNS)} in ${shortened(visible(release), CELL_COLUMNS)}`;
  return [fact('look first', `${where}: ${percent(bad / all)} of what was bad (${countText(bad)} of ${countText(all)})`)];
}

/** `0.1 % of 12,003 valid = 12.003 bad requests allowed`, and on from there. */
function budgetLines({ target, counts, allowedBad, budgetRemaining, unit, forecast }: ObjectiveReport): string[] {
  const { valid, bad } = counts;
  if (budgetRemaining === null) return [];
  return [
    fact(
      'allowed',
      `(1 - ${target}) × ${countText(valid)} valid = ${errorBudget(target)} × ${countText(valid)} = ${allowedBad} bad ${unit}`,
    ),
    fact('spent', `${countText(bad)} bad / ${allowedBad} allowed = ${spentText(bad / allowedBad, bad, allowedBad)}`),
    fact('remaining', `1 - ${countText(bad)} / ${allowedBad} = ${budgetText(budgetRemaining, allowedBad, bad)} left`),
    fact('burn', `${burnText(forecast.burnRate)} over the last hour; at 1 the budget lasts exactly for the window`),
  ];
}

function alertLines({ alert, target, counts, allowedBad }: ObjectiveReport): string[] {
  if (alert.tiers.length === 0) return ['no alert is declared that could fire'];
  const header = ['SEVERITY', 'WINDOWS', 'FIRES ABOVE', 'SPENDS', 'LONG', 'SHORT', 'STATE'];
  const rows = alert.tiers.slice(0, MAX_TIERS).map((reading) => {
    const { tier, long, short, longBurn, shortBurn } = reading;
    return [
      tier.severity,
      `${spanText(tier.longMs)}/${spanText(tier.shortMs)}`,
      `${burnText(tier.burnRate)} = ${percent(Math.min(1, tier.burnRate * errorBudget(target)))} bad`,
      counts.valid > 0
        ? `${percent(tier.budgetShare)} (${allowedText(tier.budgetShare * allowedBad)} of ${allowedText(allowedBad)})`
        : percent(tier.budgetShare),
      `${burnText(longBurn)}: ${badText(long)}`,
      `${burnText(shortBurn)}: ${badText(short)}`,
      tierText(reading),
    ];
  });
  return [alertText(alert), ...textTable(header, rows, CELL_COLUMNS)];
}

/** The most expensive first; `checkout 1.5.0 cost 8 % (41 of 512)`. A bad slice of time is shared out by its bad requests: `20 % (7 of 14 bad requests)`. */
function spenderLines({ ledger, allowedBad, unit, counts }: ObjectiveReport): string[] {
  const spenders = ledger.rows.filter((row) => row.bad > 0).toSorted((a, b) => b.bad - a.bad);
  if (spenders.length === 0)
    return [counts.bad > 0 ? `no endpoint by itself: ${unit} were bad, and no request in them` : 'nobody: nothing was bad'];
  const all = spenders.reduce((sum, { bad }) => sum + bad, 0);
  const cost = (share: number | null, bad: number): string =>
    unit === 'slices' && share !== null
      ? `${percent(share)} (${countText(bad)} of ${countText(all)} bad requests)`
      : spentText(share, bad, allowedBad);
  const byRelease = new Map<string, { bad: number; share: number | null }>();
  for (const { release, bad, budgetShare } of spenders) {
    const sum = byRelease.get(release);
    const share = budgetShare === null || sum?.share === null ? null : (sum?.share ?? 0) + budgetShare;
    byRelease.set(release, { bad: (sum?.bad ?? 0) + bad, share });
  }
  const [worst, spent] = [...byRelease].reduce((a, b) => (b[1].bad > a[1].bad ? b : a));
  const header = ['ENDPOINT', 'RELEASE', 'BAD', 'SHARE OF THE BUDGET'];
  const rows = spenders
    .slice(0, MAX_SPENDERS)
    .map(({ endpoint, release, bad, budgetShare }) => [endpoint, release, countText(bad), cost(budgetShare, bad)]);
  return [
    `release ${shortened(visible(worst), CELL_COLUMNS)} cost ${cost(spent.share, spent.bad)} of the budget`,
    ...textTable(header, rows, CELL_COLUMNS),
    ...more(spenders.length - MAX_SPENDERS),
  ];
}

function incidentLines({ incidents, allowedBad }: ObjectiveReport): string[] {
  if (incidents.length === 0) return ['none in the window'];
  const header = ['STARTED', 'DETECTED', 'ENDED', 'SEVERITY', 'BAD', 'OF THE BUDGET THEN', 'RELEASES'];
  const rows = incidents
    .slice(0, MAX_INCIDENTS)
    .map(({ startedAt, detectedAt, endedAt, severity, bad, budgetShare, releases }) => [
      momentText(startedAt),
      detectedAt === null ? 'never' : `after ${lengthText(detectedAt - startedAt)}`,
      endedAt === null ? 'goes on' : `after ${lengthText(endedAt - startedAt)}`,
      severity ?? '-',
      countText(bad),
      budgetShare > 0 ? spentText(budgetShare, bad, bad / budgetShare) : spentText(0, bad, allowedBad),
      releases.join(', '),
    ]);
  return [...textTable(header, rows, CELL_COLUMNS), ...more(incidents.length - MAX_INCIDENTS)];
}

function coverageLines({ excluded, coverage }: ObjectiveReport, excludedNow: readonly string[]): string[] {
  const now = excludedNow.length === 0 ? '' : `; now out: ${excludedNow.join(', ')}`;
  return [
    fact('left out', `by maintenance ${countText(excluded.valid)} valid, of which ${countText(excluded.bad)} were bad${now}`),
    fact('heard', coverageText(coverage)),
  ];
}

function deliveryLines(figures: DeliveryFigures, trends: readonly TrendView[]): string[] {
  const { rollouts, rolledBack, changeFailRatio, rolloutsPerDay, windowMs, incidents, meanTimeToDetectMs, meanTimeToRestoreMs } = figures;
  const failed = changeFailRatio === null ? '' : `, rolled back ${percent(changeFailRatio)} (${rolledBack} of ${rollouts})`;
  const means = [
    ...(meanTimeToDetectMs === null ? [] : [`detected in ${lengthText(meanTimeToDetectMs)}`]),
    ...(meanTimeToRestoreMs === null ? [] : [`over in ${lengthText(meanTimeToRestoreMs)}`]),
  ];
  return [
    fact('rollouts', `${whole(rollouts)} in ${spanText(windowMs)}, ${burnText(rolloutsPerDay)} a day${failed}`),
    fact('incidents', `${whole(incidents)} in ${spanText(windowMs)}${means.length === 0 ? '' : `, on average ${means.join(' and ')}`}`),
    ...trends
      .filter((trend) => trend.outcome === 'too_steep')
      .slice(0, MAX_TRENDS)
      .map((trend) => fact('trend', trendText(trend))),
  ];
}

/** `p95: +5%/day for 3 days, of POST /checkout: grows 7 % a day`. */
export function trendText({ text, endpoint, outcome, growthPerDay, reachedAt }: TrendView): string {
  const of = endpoint === null ? '' : `, of ${endpoint}`;
  if (outcome === 'too_little_data' || growthPerDay === null) return `${text}${of}: too little data`;
  const reach = reachedAt === null ? '' : `; its capacity is reached ${momentText(reachedAt)}`;
  return `${text}${of}: changes by ${signedPercent(growthPerDay)} a day${outcome === 'too_steep' ? ', which is too steep' : ''}${reach}`;
}

function more(count: number): string[] {
  return count > 0 ? [`… and ${whole(count)} more`] : [];
}
