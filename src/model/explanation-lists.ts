/** The short lists of a run's page: guards, comparability, what is unproven, what can be found, and requests to look at. */
import { evidenceText, guardLimitText, ratioText } from './evidence-text.ts';
import type { Exemplar } from './exemplar.ts';
import type { Judgement, Reason } from './judgement.ts';
import { chanceText, latencyText, timeText, whole } from './number-text.ts';
import type { Outlook } from './outlook.ts';
import { outlookText } from './outlook-text.ts';
import type { AnalysisRun } from './rollout.ts';
import { shortened, visible } from './safe-text.ts';
import { textTable } from './text-table.ts';

const NAME_COLUMNS = 40;
const LISTED_COLUMNS = 24;
const MAX_GUARDS = 2;
const MAX_SPREADS = 1;
const MAX_REASONS = 2;
const MAX_NAMED = 3;
const MAX_OUTLOOKS = 2;
/** Of each kind: failed and slow. */
const MAX_EXEMPLARS = 1;

const GUARD_HEADER = ['limit', 'canary', 'baseline', 'evidence', 'needed', 'says'];

/** Absolute limits, the error budget, silence; those that fail first. */
export function guardTable(judgements: readonly Judgement[]): string[] {
  const guards = judgements.flatMap((judgement) =>
    judgement.evidence.kind === 'guard' ? [{ judgement, evidence: judgement.evidence }] : [],
  );
  guards.sort((a, b) => Number(b.judgement.outcome === 'fail') - Number(a.judgement.outcome === 'fail'));
  if (guards.length === 0) return [];
  const rows = guards
    .slice(0, MAX_GUARDS)
    .map(({ judgement, evidence }) => [
      guardLimitText(evidence),
      ratioText(evidence.canary),
      evidence.guard === 'silence' ? '-' : ratioText(evidence.baseline),
      chanceText(evidence.logE),
      chanceText(evidence.logNeeded),
      judgement.reason.replaceAll('_', ' '),
    ]);
  return [...textTable(GUARD_HEADER, rows, NAME_COLUMNS), ...more(guards.length - rows.length)];
}

/** Whether routing or pods may explain what differs. */
export function trafficLines(judgements: readonly Judgement[]): string[] {
  const mixes = judgements.filter(({ evidence }) => evidence.kind === 'mix');
  const spreads = judgements.filter(({ evidence }) => evidence.kind === 'spread');
  spreads.sort((a, b) => Number(a.outcome === 'pass') - Number(b.outcome === 'pass'));
  return [...mixes.slice(0, 1), ...spreads.slice(0, MAX_SPREADS)]
    .map(({ evidence }) => evidenceText(evidence))
    .concat(more(spreads.length - MAX_SPREADS));
}

/** Checks whose health is asked for and not proven, by reason, the most frequent first, with the first names of each. */
export function unprovenLines(judgements: readonly Judgement[]): string[] {
  const byReason = new Map<Reason, string[]>();
  for (const { check, outcome, reason, evidence } of judgements) {
    if (outcome !== 'inconclusive' || evidence.kind !== 'comparison' || evidence.logSafe === null) continue;
    const checks = byReason.get(reason);
    if (checks === undefined) byReason.set(reason, [check]);
    else checks.push(check);
  }
  const groups = [...byReason.entries()].sort(([, a], [, b]) => b.length - a.length);
  return capped(
    groups.map(([reason, checks]) => `${whole(checks.length)} ${reason.replaceAll('_', ' ')}: ${named(checks)}`),
    MAX_REASONS,
  );
}

function named(checks: readonly string[]): string {
  const shown = checks.slice(0, MAX_NAMED).map((check) => shortened(visible(check), LISTED_COLUMNS));
  return `${shown.join(', ')}${checks.length > MAX_NAMED ? ', …' : ''}`;
}

/** As the run lists them: the least certain first. */
export function outlookLines(outlooks: readonly Outlook[]): string[] {
  return capped(outlooks.map(outlookText), MAX_OUTLOOKS);
}

/** The failed and the slowest requests of both releases, by trace id. */
export function exemplarLines({ canary, baseline }: AnalysisRun['exemplars']): string[] {
  const rows = [...exemplarRows('canary', canary), ...exemplarRows('baseline', baseline)];
  return rows.length === 0 ? [] : textTable(['release', 'trace id', 'what', 'took', 'at (UTC)', 'endpoint'], rows, NAME_COLUMNS);
}

function exemplarRows(release: string, exemplars: readonly Exemplar[]): string[][] {
  const failed = exemplars.filter((exemplar) => exemplar.failed).slice(0, MAX_EXEMPLARS);
  const slowest = exemplars
    .filter((exemplar) => !exemplar.failed && exemplar.durationMs !== null)
    .sort((a, b) => (b.durationMs ?? 0) - (a.durationMs ?? 0))
    .slice(0, MAX_EXEMPLARS);
  return [...failed, ...slowest].map(({ traceId, failed, durationMs, at, endpoint }) => [
    release,
    traceId,
    failed ? 'failed' : 'slow',
    durationMs === null ? '-' : latencyText(durationMs * 1000),
    timeText(at),
    endpoint,
  ]);
}

function capped(lines: readonly string[], most: number): string[] {
  return [...lines.slice(0, most), ...more(lines.length - most)];
}

function more(count: number): string[] {
  return count > 0 ? [`… and ${whole(count)} more`] : [];
}
