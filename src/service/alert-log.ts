/** One line in the log, and a count, for each turn of an objective's alert. */
import type { AlertEvent, AlertTurn } from '../engine/alert-watch.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

const MESSAGES = {
  fires: 'objective alert fires',
  changes: 'objective alert changes',
  resolves: 'objective alert resolves',
  freezes: 'objective alert freezes',
  thaws: 'objective alert thaws',
} as const satisfies Readonly<Record<AlertTurn, string>>;

export function logAlert({ turn, objective, severity, at, reading }: AlertEvent, telemetry: Telemetry): void {
  telemetry.add('objective_alert_turns_total', 1, { turn, severity });
  const fields = {
    objective: objective.id,
    service: objective.service,
    severity,
    at: new Date(at).toISOString(),
    ...(reading !== null && {
      why: reading.why,
      burnLimit: reading.tier.burnRate,
      longMs: reading.tier.longMs,
      longBurn: reading.longBurn,
      longBad: reading.long.bad,
      longValid: reading.long.valid,
      shortBurn: reading.shortBurn,
      shortBad: reading.short.bad,
      shortValid: reading.short.valid,
    }),
  };
  if (turn === 'resolves' || turn === 'thaws') telemetry.log.info(fields, MESSAGES[turn]);
  else telemetry.log.warn(fields, MESSAGES[turn]);
}
