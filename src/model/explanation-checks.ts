/** The checks of a run on its page: the one that decided in full, the others as a table. */
import {
  baselineText,
  canaryText,
  checkText,
  evidenceText,
  guardLimitText,
  oddsRatioCell,
  oddsRatioText,
  ratioText,
} from './evidence-text.ts';
import type { ComparisonEvidence, GuardEvidence, Judgement, Outcome } from './judgement.ts';
import { chanceText, oddsText, timesText, timeText, whole } from './number-text.ts';
import { shortened, visible } from './safe-text.ts';
import { sparkline } from './sparkline.ts';
import { textTable } from './text-table.ts';

const TRAIL_COLUMNS = 32;
const MAX_NAME = 100;

/** One fact a line; none without a check. `isHarm`: it is why the release is rolled back, so it is told since when and how sure. */
export function decidingCheck(judgement: Judgement | undefined, isHarm: boolean): string[] {
  if (judgement === undefined) return [];
  const { evidence } = judgement;
  if (evidence.kind === 'guard') return decidingGuard(evidence, isHarm);
  if (evidence.kind !== 'comparison') return [evidenceText(evidence)];
  const { level, onsetAt } = evidence;
  return [
    shortened(visible(checkText(evidence.metric, evidence.endpoint)), MAX_NAME),
    `canary    ${canaryText(evidence)}`,
    `baseline  ${baselineText(evidence)}`,
    ...prefixed('estimate  ', oddsRatioText(evidence)),
    `evidence  ${strengthText(evidence)}`,
    ...trailLines(evidence),
    ...(isHarm && onsetAt !== null ? [`since     probably ${timeText(onsetAt)}`] : []),
    ...(isHarm ? [`pods      ${POD_TEXT[level]}`] : []),
  ];
}

/** A guard asks the canary alone; the baseline stands beside it to show that the trouble is not shared. */
function decidingGuard(evidence: GuardEvidence, isHarm: boolean): string[] {
  const { guard, canary, baseline, level, logE, logNeeded } = evidence;
  const strength = `evidence  ${oddsText(logE)} to 1${neededText(logNeeded)}`;
  if (guard === 'silence') return [evidenceText(evidence), strength];
  return [
    guardLimitText(evidence),
    `canary    ${ratioText(canary)}`,
    `baseline  ${ratioText(baseline)}`,
    strength,
    ...(isHarm ? [`pods      ${POD_TEXT[level]}`] : []),
  ];
}

const POD_TEXT: Readonly<Record<ComparisonEvidence['level'], string>> = {
  pod: 'no single pod can bring about this evidence',
  request: 'judged by requests: a long incident of one pod would look the same',
};

/** Overdispersion from which on it is worth a word. */
const CLUMPS = 1.05;

function strengthText({ logE, logNeeded, incidentWindows, phi }: ComparisonEvidence): string {
  const windows = `${whole(incidentWindows)} incident ${incidentWindows === 1 ? 'window' : 'windows'}`;
  const clumps = phi > CLUMPS ? `, divided by ${timesText(phi)} as the bad comes in clumps` : '';
  return `${oddsText(logE)} to 1 from ${windows}${clumps}${neededText(logNeeded)}`;
}

function neededText(logNeeded: number): string {
  return logNeeded > 0 && Number.isFinite(logNeeded) ? `; ${oddsText(logNeeded)} to 1 would decide alone` : '';
}

function trailLines({ trail, logNeeded }: ComparisonEvidence): string[] {
  const from = trail[0];
  const to = trail.at(-1);
  if (from === undefined || to === undefined) return [];
  return [`          ${timeText(from.at)} ${sparkline(trail, logNeeded, TRAIL_COLUMNS)} ${timeText(to.at)}`];
}

type ComparisonJudgement = Judgement & { readonly evidence: ComparisonEvidence };

const HEADER = ['check', 'canary', 'baseline', 'odds ratio (95 %)', 'evidence', 'needed', 'says'];
const MIN_ROWS = 3;
const MAX_ROWS = 12;
const MAX_CELL = 44;
const RANK: Readonly<Record<Outcome, number>> = { fail: 0, inconclusive: 1, pass: 2 };
const QUIET_RANK = 3;

/** Severe and pooled checks only ever prove harm; without evidence of it they say nothing that their plain siblings do not. */
function rankOf({ outcome, evidence }: ComparisonJudgement): number {
  return evidence.logSafe === null && !(evidence.logE > 0) ? QUIET_RANK : RANK[outcome];
}

/** Comparisons that have something to compare, the strongest evidence of harm first, in at most `room` lines or five, whatever is more. */
export function checkTable(judgements: readonly Judgement[], room: number): string[] {
  const rows = judgements.flatMap((judgement): ComparisonJudgement[] =>
    judgement.evidence.kind === 'comparison' && judgement.evidence.canary.total + judgement.evidence.baseline.total > 0
      ? [{ ...judgement, evidence: judgement.evidence }]
      : [],
  );
  rows.sort((a, b) => rankOf(a) - rankOf(b) || descending(a.evidence.logE, b.evidence.logE));
  if (rows.length === 0) return [];
  // Header and "… more" take a line each.
  const cells = rows
    .slice(0, Math.max(MIN_ROWS, Math.min(MAX_ROWS, room - 2)))
    .map(({ check, reason, evidence }) => [
      check,
      ratioText(evidence.canary),
      ratioText(evidence.baseline),
      oddsRatioCell(evidence),
      chanceText(evidence.logE),
      evidence.logNeeded > 0 ? chanceText(evidence.logNeeded) : '-',
      reason.replaceAll('_', ' '),
    ]);
  const more = rows.length - cells.length;
  return [...textTable(HEADER, cells, MAX_CELL), ...(more > 0 ? [`… and ${whole(more)} more`] : [])];
}

/** What is no number comes last. */
function descending(a: number, b: number): number {
  const [x, y] = [Number.isNaN(a) ? Number.NEGATIVE_INFINITY : a, Number.isNaN(b) ? Number.NEGATIVE_INFINITY : b];
  return x === y ? 0 : x < y ? 1 : -1;
}

function prefixed(prefix: string, text: string | null): string[] {
  return text === null ? [] : [prefix + text];
}
