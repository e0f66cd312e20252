/** Why a run says what it says, on one page of plain text: the same for API, command line and chat. */
import { isCounted } from './evidence-text.ts';
import { checkTable, decidingCheck } from './explanation-checks.ts';
import { exemplarLines, guardTable, outlookLines, trafficLines, unprovenLines } from './explanation-lists.ts';
import { lengthText, momentText, percent, timeText, whole } from './number-text.ts';
import { decisionText, strengthText } from './reason-text.ts';
import type { AnalysisRun } from './rollout.ts';
import { shortened, visible, wrapped } from './safe-text.ts';
import { matcherText, type ReleaseMatcher } from './series.ts';
import { sparkline } from './sparkline.ts';

/** A page that is longer is not read by who was woken up by it. */
export const MAX_LINES = 60;
/** Of the text; tables may be wider. */
const COLUMNS = 118;
const MAX_COLUMNS = 160;
const TRAIL_COLUMNS = 48;

/**
 * The page, line by line, at most `MAX_LINES`; deterministic, and safe to print whatever names the telemetry carries. Lists are cut with `… and 12 more`.
 * A run without any evidence says so and still tells when and by which rules it is judged.
 */
export function explanation(run: AnalysisRun): string[] {
  const decisive = run.judgements.find(({ check, evidence }) => check === run.verdict.decidedBy && isCounted(evidence));
  const before: readonly Section[] = [
    { title: null, lines: folded(headLines(run)) },
    { title: isHarm(run) ? 'Why' : 'What weighs most', lines: folded([...decidingCheck(decisive, isHarm(run)), ...strengthLines(run)]) },
  ];
  const after: readonly Section[] = [
    { title: 'The canary by itself', lines: guardTable(run.judgements) },
    { title: 'Can the releases be compared?', lines: oneLineEach(trafficLines(run.judgements)) },
    // Once something is proven, what else might be found does not matter any more.
    { title: 'Not proven', lines: isSettled(run) ? [] : oneLineEach([...unprovenLines(run.judgements), ...outlookLines(run.outlook)]) },
    { title: 'Requests to look at', lines: exemplarLines(run.exemplars) },
    { title: 'When and how it was decided', lines: folded(originLines(run)) },
  ];
  const room = MAX_LINES - height([...before, ...after]) - TITLE_LINES;
  const others = run.judgements.filter((judgement) => judgement !== decisive);
  const checks = { title: decisive === undefined ? 'Checks' : 'Other checks', lines: checkTable(others, room) };
  const sections = [...before, checks, ...after];
  return sections
    .flatMap(printed)
    .slice(1)
    .map((line) => shortened(visible(line), MAX_COLUMNS));
}

/** An empty line and the title. */
const TITLE_LINES = 2;

function height(sections: readonly Section[]): number {
  return sections.reduce((sum, section) => sum + printed(section).length, 0) - 1;
}

function printed({ title, lines }: Section): string[] {
  if (lines.length === 0) return [];
  return title === null ? ['', ...lines] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function folded(lines: readonly string[]): string[] {
  return lines.flatMap((line) => wrapped(line, COLUMNS, ' '.repeat(LABEL_COLUMNS)));
}

function oneLineEach(lines: readonly string[]): string[] {
  return lines.map((line) => shortened(visible(line), COLUMNS));
}

interface Section {
  readonly title: string | null;
  readonly lines: readonly string[];
}

/** What a line begins with: the name of a fact, and blanks. */
const LABEL_COLUMNS = 10;

function fact(label: string, text: string): string {
  return label.padEnd(LABEL_COLUMNS) + text;
}

function isSettled({ verdict }: AnalysisRun): boolean {
  return verdict.decision === 'rollback' || verdict.decision === 'promote';
}

function isHarm({ verdict }: AnalysisRun): boolean {
  return verdict.decision === 'rollback';
}

function headLines(run: AnalysisRun): string[] {
  const { rollout, verdict, canaryRequests, baselineRequests } = run;
  const share = rollout.canaryShare === null ? '' : `, planned to get ${percent(rollout.canaryShare)} of the traffic`;
  return [
    decisionText(verdict),
    '',
    fact('service', shortened(visible(rollout.service), RELEASE_COLUMNS)),
    fact('canary', `${releaseText(rollout.canary)}: ${whole(canaryRequests)} requests${share}`),
    fact('baseline', `${releaseText(rollout.baseline)}: ${whole(baselineRequests)} requests`),
    ...healthLine(run),
    ...(run.strictness < 1
      ? [fact('strict', `tolerances are ${percent(run.strictness)} of what is configured, because the error budget is short`)]
      : []),
  ];
}

/** Of the checks that promotion may ask for, how many are proven. */
function healthLine(run: AnalysisRun): string[] {
  const asked = run.judgements.filter(({ evidence }) => evidence.kind === 'comparison' && evidence.logSafe !== null);
  if (isHarm(run) || asked.length === 0) return [];
  const proven = asked.filter(({ outcome }) => outcome === 'pass').length;
  return [fact('health', `${whole(proven)} of ${whole(asked.length)} checks are proven to be within their margins`)];
}

const RELEASE_COLUMNS = 60;

function releaseText(release: ReleaseMatcher): string {
  return shortened(visible(matcherText(release)), RELEASE_COLUMNS);
}

function strengthLines({ verdict, trail }: AnalysisRun): string[] {
  const strength = strengthText(verdict);
  if (strength === null) return [];
  const from = trail[0];
  const to = trail.at(-1);
  if (from === undefined || to === undefined) return [fact('together', strength)];
  const line = sparkline(trail, verdict.logLimit, TRAIL_COLUMNS);
  return [fact('together', strength), fact('', `${timeText(from.at)} ${line} ${timeText(to.at)}, a full bar is what is needed`)];
}

const MAX_TURNS = 3;
const ID_COLUMNS = 40;
const ORIGIN_TEXT = { api: 'announced by the deploy system', watch: 'seen in the deploy system', policy: 'found in the traffic' } as const;

function originLines(run: AnalysisRun): string[] {
  const { rollout, verdict, state, firstCanaryAt, lagMs, lateRequests, signalId, history } = run;
  const wait = Number.isFinite(lagMs) ? `; a second is judged ${(lagMs / 1000).toFixed(1)} s after its end` : '';
  const first = firstCanaryAt === null ? 'no span of the canary yet' : `first span of the canary ${timeText(firstCanaryAt)}`;
  const time = rollout.deadline - rollout.startedAt;
  return [
    fact('judged to', `${momentText(verdict.at)}, in the time of the spans${wait}`),
    fact('began', `${momentText(rollout.startedAt)}, ${first}; ${lengthText(time)} to decide`),
    ...(lateRequests === 0 ? [] : [fact('late', `${whole(lateRequests)} requests came after their second was judged and do not count`)]),
    ...(history.length < 2 ? [] : [fact('turns', turnsText(run))]),
    fact('state', `${state.replaceAll('_', ' ')}; signal ${signalId ?? 'none'}`),
    fact(
      'rollout',
      `${shortened(visible(rollout.id), ID_COLUMNS)}, generation ${rollout.generation}, ${ORIGIN_TEXT[rollout.origin]}; policy ${rollout.policyId}`,
    ),
  ];
}

/** The last verdicts, oldest first: `12:00:00 hold (no canary) · 12:00:10 continue (warming up)`. */
function turnsText({ history }: AnalysisRun): string {
  const shown = history.slice(-MAX_TURNS).map(({ at, decision, reason }) => `${timeText(at)} ${decision} (${reason.replaceAll('_', ' ')})`);
  return `${history.length > MAX_TURNS ? `… after ${history.length - MAX_TURNS} more · ` : ''}${shown.join(' · ')}`;
}
