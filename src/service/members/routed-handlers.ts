/** Answers for the cells of this member as one process that has them all does: by service, by who knows the id, or from all of them. */
import { setImmediate } from 'node:timers/promises';
import type { ApiHandlers } from '../../api/handlers.ts';
import { RetryableError } from '../../model/errors.ts';
import { visible } from '../../model/safe-text.ts';
import type { Clock } from '../clock.ts';
import { NOT_DURABLE } from '../not-durable.ts';
import type { Directory } from './directory.ts';
import { ELSEWHERE, kept } from './kept.ts';
import { mergedSignals, mergedSlo, mergedStatus } from './merge-answers.ts';
import { mergedMetrics } from './merged-metrics.ts';
import type { RoutedCell } from './routed-cell.ts';
import { type ControlParts, routedControls } from './routed-controls.ts';

export interface RoutedParts extends ControlParts {
  readonly directory: Pick<Directory, 'partitionOf' | 'partitions'>;
  readonly version: string;
  /** See `Cell`; alike for all. */
  releaseBy(): readonly string[];
  readonly kayenta: Pick<ApiHandlers, 'judgeSeries'>;
  readonly readiness: ApiHandlers['readiness'];
  readonly metrics: ApiHandlers['metrics'];
  readonly clock: Clock;
}

/**
 * A service whose cell is not here is `unavailable` where an answer can say so, else a RetryableError is thrown, which the API makes the same of. Changes are
 * answered for once they are durable.
 */
export function routedHandlers(parts: RoutedParts): ApiHandlers {
  const { cells, directory, clock } = parts;
  const partitionOf = (service: string): number => directory.partitionOf(service);
  const cellOf = (service: string): RoutedCell | null => cells().get(partitionOf(service)) ?? null;
  const neededCell = (service: string): RoutedCell => {
    const cell = cellOf(service);
    if (cell === null)
      throw new RetryableError('partition', `${visible(service)} is with another member`, { retryAfterMs: ELSEWHERE.retryAfterMs });
    return cell;
  };
  const cellOfRun = async (id: string): Promise<RoutedCell | null> => {
    for (const cell of cells().values()) if ((await cell.handlers.run(id)) !== null) return cell;
    return null;
  };
  const cellOfSignal = async (id: string): Promise<RoutedCell | null> => {
    for (const cell of cells().values()) if ((await cell.handlers.signal(id)).length > 0) return cell;
    return null;
  };
  /** Of each cell what is its own: all cells know the objectives of all services. */
  const ofAll = <T>(
    ask: (cell: RoutedCell) => T | Promise<T>,
    own: (answer: T, isOurs: (of: { readonly service: string }) => boolean) => T,
  ) =>
    Promise.all([...cells()].map(async ([partition, cell]) => own(await ask(cell), ({ service }) => partitionOf(service) === partition)));

  return {
    ...routedControls(parts, { cellOf, neededCell }),
    version: parts.version,
    releaseBy: () => parts.releaseBy(),
    judgeSeries: (request) => parts.kayenta.judgeSeries(request),
    readiness: () => parts.readiness(),
    metrics: () => parts.metrics(),
    metricSource: mergedMetrics({
      sources: () => new Map([...cells()].map(([partition, { handlers }]) => [partition, handlers.metricSource])),
      partitions: directory.partitions,
      partitionOf,
      monotonicMs: () => clock.monotonicMs(),
      breathe: () => setImmediate(),
    }),

    async startRollout(request) {
      const cell = cellOf(request.service);
      if (cell === null) return ELSEWHERE;
      const other = await cellOfRun(request.id);
      if (other !== null && other !== cell) return { outcome: 'refused', field: '/id', detail: 'names a rollout of another service' };
      const started = await cell.handlers.startRollout(request);
      const isDone = started.outcome === 'created' || started.outcome === 'existing';
      return isDone && !(await kept(cell)) ? NOT_DURABLE : started;
    },
    run: async (id) => (await (await cellOfRun(id))?.handlers.run(id)) ?? null,
    policyOf: async (id) => (await (await cellOfRun(id))?.handlers.policyOf(id)) ?? null,
    allowed: (run) => neededCell(run.rollout.service).handlers.allowed(run),
    settled: async (id, waitMs, abort) => (await (await cellOfRun(id))?.handlers.settled(id, waitMs, abort)) ?? null,
    runs: async () => (await Promise.all([...cells().values()].map(({ handlers }) => handlers.runs()))).flat(),
    async abort(id) {
      const cell = await cellOfRun(id);
      if (cell === null) return { outcome: 'unknown' };
      const aborted = await cell.handlers.abort(id);
      return aborted.outcome === 'over' && !(await kept(cell)) ? NOT_DURABLE : aborted;
    },
    async endRollout(id, how) {
      const cell = await cellOfRun(id);
      if (cell === null) return { outcome: 'unknown' };
      const ended = await cell.handlers.endRollout(id, how);
      return ended.outcome === 'over' && !(await kept(cell)) ? NOT_DURABLE : ended;
    },

    async status(windowMs, service) {
      if (service !== null) return neededCell(service).handlers.status(windowMs, service);
      const views = await ofAll(
        ({ handlers }) => handlers.status(windowMs, null),
        (view, isOurs) => ({ ...view, services: view.services.filter(isOurs), runs: view.runs.filter(({ rollout }) => isOurs(rollout)) }),
      );
      return views.length > 0
        ? mergedStatus(views)
        : { now: clock.now(), policyRevision: '', windowMs, services: [], runs: [], inputs: null, watchdog: null };
    },
    latency: (query) => neededCell(query.service).handlers.latency(query),
    outlook: (query) => neededCell(query.service).handlers.outlook(query),
    whatIf: (query) => neededCell(query.service).handlers.whatIf(query),
    async slo(only) {
      if (only.service !== null) return neededCell(only.service).handlers.slo(only);
      const reports = await ofAll(
        ({ handlers }) => handlers.slo(only),
        (report, isOurs) => ({ ...report, objectives: report.objectives.filter(isOurs), services: report.services.filter(isOurs) }),
      );
      return reports.length > 0 ? mergedSlo(reports) : { now: clock.now(), policyRevision: '', objectives: [], services: [] };
    },

    signals: async (limit) => mergedSignals(await Promise.all([...cells().values()].map(({ handlers }) => handlers.signals(limit))), limit),
    signal: async (id) => (await (await cellOfSignal(id))?.handlers.signal(id)) ?? [],
    async reportOutcome(said) {
      const cell = await cellOfSignal(said.signalId);
      if (cell === null) return { outcome: 'unknown' };
      const reported = await cell.handlers.reportOutcome(said);
      return reported.outcome === 'kept' && !(await kept(cell)) ? NOT_DURABLE : reported;
    },
  };
}
