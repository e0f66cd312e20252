/** Puts answers of several members together, each of which is about its own services alone, as one process that has them all would answer. */
import type { BreakerReport, HoldEntry, HoldList } from '../../api/control-handlers.ts';
import type { GateHandlers } from '../../api/gate-handlers.ts';
import type { SignalView } from '../../api/handlers.ts';
import { mergedInputs } from '../../engine/inputs-view.ts';
import { worstFirst } from '../../engine/slo-report.ts';
import type { SloReport } from '../../model/slo-views.ts';
import { textOrder } from '../../model/text-order.ts';
import type { EpochMs } from '../../model/time.ts';
import type { StatusView } from '../../model/views.ts';
import { mergedWatchdog } from '../../model/watchdog-view.ts';

/** `answers` are the bodies of answers to the same request, at least one. */
export type Merge = (answers: readonly unknown[], query: URLSearchParams) => unknown;

/** As `limit` of the routes that have one, which was checked by each member. */
const DEFAULT_LIMIT = 100;
/** Clocks of members differ, and an override that is for all reaches them one after the other. */
const SAME_ACT_MS = 60_000;
const MAX_HOLDS = 200;

interface RolloutList {
  readonly rollouts: readonly { readonly id: string; readonly startedAt: EpochMs }[];
  readonly total: number;
}

export const mergeRollouts: Merge = (answers, query) => {
  const lists = answers as readonly RolloutList[];
  const rollouts = unique(
    lists.flatMap((list) => list.rollouts),
    ({ id }) => id,
  );
  const newest = rollouts.sort((a, b) => b.startedAt - a.startedAt).slice(0, limitOf(query));
  return { rollouts: newest, total: lists.reduce((sum, { total }) => sum + total, 0) };
};

export const mergeSignals: Merge = (answers, query) => {
  const lists = answers as readonly { readonly signals: readonly SignalView[] }[];
  return {
    signals: mergedSignals(
      lists.map(({ signals }) => signals),
      limitOf(query),
    ),
  };
};

/** Newest first. */
export function mergedSignals(lists: readonly (readonly SignalView[])[], limit: number): readonly SignalView[] {
  const all = unique(lists.flat(), ({ id, sink }) => JSON.stringify([id, sink]));
  return all.sort((a, b) => b.decidedAt - a.decidedAt).slice(0, limit);
}

export const mergeStatus: Merge = (answers) => mergedStatus(answers as readonly StatusView[]);

export function mergedStatus(views: readonly StatusView[]): StatusView {
  const services = unique(
    views.flatMap((view) => view.services),
    ({ service }) => service,
  );
  const runs = unique(
    views.flatMap((view) => view.runs),
    ({ rollout }) => JSON.stringify([rollout.service, rollout.id]),
  );
  const inputs = mergedInputs(views.map((view) => view.inputs));
  const watchdog = mergedWatchdog(views.map((view) => view.watchdog));
  return { ...newestOf(views), services: services.sort((a, b) => textOrder(a.service, b.service)), runs, inputs, watchdog };
}

export const mergeSlo: Merge = (answers) => mergedSlo(answers as readonly SloReport[]);

export function mergedSlo(reports: readonly SloReport[]): SloReport {
  const objectives = unique(
    reports.flatMap((report) => report.objectives),
    ({ id }) => id,
  );
  const services = unique(
    reports.flatMap((report) => report.services),
    ({ service }) => service,
  );
  return {
    ...newestOf(reports),
    objectives: objectives.sort(worstFirst),
    services: services.sort((a, b) => textOrder(a.service, b.service)),
  };
}

type Overrides = Awaited<ReturnType<GateHandlers['gateOverrides']>>;

export const mergeGateOverrides: Merge = (answers) => {
  const lists = answers as readonly Overrides[];
  const overrides = lists.flatMap((list) => list.overrides).sort((a, b) => b.at - a.at);
  return { now: Math.max(...lists.map(({ now }) => now)), overrides };
};

export const mergeHolds: Merge = (answers) => mergedHolds(answers as readonly HoldList[]);

/** What reached every cell of every member is one override; it is in force as long as it is anywhere. */
export function mergedHolds(lists: readonly HoldList[]): HoldList {
  const merged: HoldEntry[] = [];
  for (const entry of lists.flatMap(({ overrides }) => overrides)) {
    const at = merged.findIndex((known) => isSameAct(known, entry));
    const known = merged[at];
    if (known === undefined) merged.push(entry);
    else if (entry.isInForce && !known.isInForce) merged[at] = entry;
  }
  const since = lists.flatMap(({ killSwitchSince }) => killSwitchSince ?? []);
  return {
    now: Math.max(...lists.map(({ now }) => now)),
    killSwitchSince: since.length === 0 ? null : Math.min(...since),
    overrides: merged.sort((a, b) => b.at - a.at).slice(0, MAX_HOLDS),
  };
}

function isSameAct(a: HoldEntry, b: HoldEntry): boolean {
  const told = ({ service, rollout, mode, by, reason, until }: HoldEntry): string =>
    JSON.stringify([service, rollout, mode, by, reason, until === null]);
  return told(a) === told(b) && Math.abs(a.at - b.at) < SAME_ACT_MS;
}

export const mergeBreakers: Merge = (answers) => mergedBreakers(answers as readonly BreakerReport[]);

/** Each member counts the rollbacks of all: they may differ by what one has not read yet. */
export function mergedBreakers(reports: readonly BreakerReport[]): BreakerReport {
  const first = newestOf(reports);
  const causes = reports.flatMap(({ commonCause }) => commonCause ?? []);
  const coolDowns = unique(
    reports.flatMap((report) => report.coolDowns),
    ({ service }) => service,
  );
  const resets = unique(
    reports.flatMap((report) => report.resets).sort((a, b) => b.at - a.at),
    ({ by, reason, at }) => JSON.stringify([by, reason, Math.round(at / SAME_ACT_MS)]),
  );
  return {
    ...first,
    rollbacksLastHour: Math.max(...reports.map(({ rollbacksLastHour }) => rollbacksLastHour)),
    isOpen: reports.some(({ isOpen }) => isOpen),
    coolDowns: coolDowns.sort((a, b) => a.until - b.until),
    commonCause:
      causes.length === 0
        ? null
        : { since: Math.min(...causes.map(({ since }) => since)), until: Math.max(...causes.map(({ until }) => until)) },
    resets: resets.slice(0, 50),
  };
}

export const mergeConfigs: Merge = (answers) =>
  unique((answers as readonly (readonly { readonly id: string }[])[]).flat(), ({ id }) => id).sort((a, b) => textOrder(a.id, b.id));

interface MetricAnswer {
  readonly status: string;
  readonly data: readonly unknown[];
}

export const mergeSeries: Merge = (answers) => ({
  status: 'success',
  data: unique(
    (answers as readonly MetricAnswer[]).flatMap(({ data }) => data),
    (labels) => JSON.stringify(labels),
  ),
});

export const mergeTexts: Merge = (answers) => ({
  status: 'success',
  data: [...new Set((answers as readonly MetricAnswer[]).flatMap(({ data }) => data as readonly string[]))].sort(),
});

/** The newest; its policies are those of all, unless it has none. */
function newestOf<T extends { readonly now: EpochMs; readonly policyRevision?: string }>(views: readonly T[]): T {
  const [first, ...others] = [...views].sort((a, b) => Number(a.policyRevision === '') - Number(b.policyRevision === ''));
  if (first === undefined) throw new RangeError('there is no answer to put together');
  return { ...first, now: Math.max(first.now, ...others.map(({ now }) => now)) };
}

/** The first of each: while a partition moves two members may answer for it. */
function unique<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const byKey = new Map<string, T>();
  for (const item of items) if (!byKey.has(keyOf(item))) byKey.set(keyOf(item), item);
  return [...byKey.values()];
}

function limitOf(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  return Number.isSafeInteger(limit) && limit > 0 ? limit : DEFAULT_LIMIT;
}
