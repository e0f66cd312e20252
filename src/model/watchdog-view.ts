/** What the watchdog of a process found: which parts work, and what is wrong with those that do not. */
import type { EpochMs } from './time.ts';

/**
 * What is looked at. The stages first, in the order of a span's path, on spans made up for it: `decode`, `aggregate`, `wire` (counts on their way to another
 * member), `window`, `evaluate`, `decide`, `signal`. Then the parts at work: receivers, judging, state, delivery, counts handed over, the group of members. Last
 * the one who is told that all is well.
 */
export const WATCHDOG_PARTS = [
  'decode',
  'aggregate',
  'wire',
  'window',
  'evaluate',
  'decide',
  'signal',
  'otlp_grpc',
  'otlp_http',
  'judging',
  'state',
  'delivery',
  'commits',
  'group',
  'heartbeat',
] as const;
export type WatchdogPart = (typeof WATCHDOG_PARTS)[number];

export interface WatchdogFault {
  readonly part: WatchdogPart;
  /** What was expected and what was found, one sentence for people. */
  readonly fault: string;
  /** When it was first found to be so. */
  readonly since: EpochMs;
  /** Whose it is, where several members share the work; null: of the one process there is. */
  readonly member: string | null;
}

export interface WatchdogView {
  /** When everything was found well last, of several members by the one that waits longest; null: not yet. */
  readonly lastSuccessAt: EpochMs | null;
  /** In the order of `WATCHDOG_PARTS`; empty: all that was looked at is well. */
  readonly faults: readonly WatchdogFault[];
}

/** Of several members; null where none has a watchdog. One that has found nothing well yet, or says nothing at all, keeps nobody else's faults back. */
export function mergedWatchdog(views: readonly (WatchdogView | null | undefined)[]): WatchdogView | null {
  const known = views.filter((view) => view !== null && view !== undefined);
  if (known.length === 0) return null;
  const successes = known.map(({ lastSuccessAt }) => lastSuccessAt);
  const order = (part: WatchdogPart): number => WATCHDOG_PARTS.indexOf(part);
  const byWhom = new Map(
    known.flatMap(({ faults }) => faults.map((fault) => [JSON.stringify([fault.member, fault.part]), fault] as const)),
  );
  return {
    lastSuccessAt: successes.reduce((oldest, at) => (oldest === null || at === null ? null : Math.min(oldest, at))) ?? null,
    faults: [...byWhom.values()].sort((a, b) => order(a.part) - order(b.part)),
  };
}
