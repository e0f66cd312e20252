/** A status as tables: a service with its endpoints and objectives, then the runs with what they say. */
import type { StatusWire } from '../api/schemas.ts';
import { percent } from '../model/number-text.ts';
import { visible } from '../model/safe-text.ts';
import { inputsText } from './inputs-text.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import { type Tone, toned } from './terminal-text.ts';
import { watchdogText } from './watchdog-text.ts';

type Service = StatusWire['services'][number];
type Objective = Service['objectives'][number];
type Run = StatusWire['runs'][number];

/** Blocks separated by empty lines; without services it says so. */
export function statusText(status: StatusWire, options: TableOptions): string {
  const inputs = [...watchdogText(status, options), ...inputsText(status, options)];
  if (status.services.length === 0 && status.runs.length === 0) return [...inputs, 'No span has come yet.'].join('\n\n');
  const color = options.color === true;
  const blocks = [...inputs];
  const services = status.services.flatMap((service) => [
    `${toned(visible(service.service), 'strong', color)}  ${toned(serviceLine(service), 'dim', color)}\n${endpointTable(service, options)}`,
    ...(service.objectives.length === 0 ? [] : [objectiveTable(service.objectives, options)]),
  ]);
  blocks.push(...services);
  if (status.runs.length > 0) blocks.push(runTable(status.runs, options));
  return blocks.join('\n\n');
}

function serviceLine(service: Service): string {
  const parts = [service.lagMs === null ? 'no span yet' : `judged ${seconds(service.lagMs)} behind the newest span`];
  if (service.lateSpans > 0) parts.push(`${service.lateSpans} late spans`);
  parts.push(`${service.seriesInUse} of ${service.seriesQuota} series`);
  return parts.join(', ');
}

const ENDPOINT_COLUMNS: readonly Column[] = [
  { header: 'ENDPOINT', shrinks: true, minWidth: 16 },
  { header: 'RELEASE', shrinks: true },
  { header: 'REQ/S', align: 'right' },
  { header: 'P50 MS', align: 'right' },
  { header: 'P95 MS', align: 'right' },
  { header: 'P99 MS', align: 'right' },
  { header: 'ERRORS', align: 'right' },
];

function endpointTable(service: Service, options: TableOptions): string {
  const rows = service.endpoints.map((series): Cell[] => [
    series.endpoint,
    series.release,
    figure(series.rate),
    figure(series.p50Ms),
    figure(series.p95Ms),
    figure(series.p99Ms),
    series.errorRatio === null ? '-' : { text: percent(series.errorRatio), tone: series.failed > 0 ? 'warning' : 'plain' },
  ]);
  return renderTable(ENDPOINT_COLUMNS, rows, options);
}

const OBJECTIVE_COLUMNS: readonly Column[] = [
  { header: 'OBJECTIVE', shrinks: true, minWidth: 16 },
  { header: 'ENDPOINT', shrinks: true },
  { header: 'GOOD', align: 'right' },
  { header: 'TARGET', align: 'right' },
  { header: 'BUDGET LEFT', align: 'right' },
  { header: 'STATE' },
];

function objectiveTable(objectives: readonly Objective[], options: TableOptions): string {
  const rows = objectives.map((objective): Cell[] => {
    const { evidence, outcome, reason } = objective.judgement;
    const numbers = evidence.kind === 'objective' ? evidence : null;
    const budget = numbers?.budgetRemaining ?? null;
    const sli = numbers?.sli ?? null;
    return [
      objective.text,
      objective.endpoint ?? '(all)',
      sli === null ? '-' : percent(sli),
      numbers === null ? '-' : percent(numbers.target),
      budget === null ? '-' : { text: signedPercent(budget), tone: budget < 0 ? 'bad' : 'plain' },
      {
        text: outcome === 'inconclusive' ? reason.replaceAll('_', ' ') : outcome === 'pass' ? 'met' : 'breached',
        tone: OUTCOME_TONE[outcome],
      },
    ];
  });
  return renderTable(OBJECTIVE_COLUMNS, rows, options);
}

const OUTCOME_TONE: Readonly<Record<Objective['judgement']['outcome'], Tone>> = { pass: 'good', fail: 'bad', inconclusive: 'warning' };

const RUN_COLUMNS: readonly Column[] = [
  { header: 'ROLLOUT', shrinks: true, minWidth: 12 },
  { header: 'SERVICE', shrinks: true },
  { header: 'STATE' },
  { header: 'VERDICT' },
  { header: 'CANARY', align: 'right' },
  { header: 'BASELINE', align: 'right' },
  { header: 'WHY', shrinks: true, minWidth: 24 },
];

function runTable(runs: readonly Run[], options: TableOptions): string {
  const rows = runs.map((run): Cell[] => [
    `${run.rollout.id}#${run.rollout.generation}`,
    run.rollout.service,
    run.state.replaceAll('_', ' '),
    { text: run.verdict.decision, tone: DECISION_TONE[run.verdict.decision] },
    String(run.canaryRequests),
    String(run.baselineRequests),
    run.verdict.reason.replaceAll('_', ' '),
  ]);
  const explained = runs.map((run) => `${visible(run.rollout.id)}: ${visible(run.explanation.verdict)}`);
  return `${renderTable(RUN_COLUMNS, rows, options)}\n\n${explained.join('\n')}`;
}

const DECISION_TONE: Readonly<Record<Run['verdict']['decision'], Tone>> = {
  continue: 'plain',
  promote: 'good',
  rollback: 'bad',
  hold: 'warning',
};

function signedPercent(ratio: number): string {
  return ratio < 0 ? `-${percent(-ratio)}` : percent(ratio);
}

function figure(value: number | null): string {
  return value === null ? '-' : value.toFixed(value >= 100 ? 0 : 1);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
