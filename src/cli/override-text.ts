/** Overrides and the breaker for people. */
import type { BreakerWire, HoldEntryWire, HoldListWire } from '../api/control-schemas.ts';
import { lengthText, momentText } from '../model/number-text.ts';
import { visible } from '../model/safe-text.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import { toned } from './terminal-text.ts';

const COLUMNS: readonly Column[] = [
  { header: 'SCOPE', shrinks: true, minWidth: 12 },
  { header: 'MODE' },
  { header: 'STATE' },
  { header: 'BY', shrinks: true },
  { header: 'SINCE' },
  { header: 'UNTIL' },
  { header: 'REASON', shrinks: true, minWidth: 16 },
];

export function scopeText({ service, rollout }: Pick<HoldEntryWire, 'service' | 'rollout'>): string {
  if (service !== null) return `service ${visible(service)}`;
  return rollout === null ? 'everything' : `rollout ${visible(rollout)}`;
}

/** Why rollbacks do not leave now, a line each; empty when nothing withholds them. Cool-downs are usual and are left out. */
export function withheldLines({ killSwitchSince, overrides }: HoldListWire, breaker: BreakerWire): string[] {
  const inForce = overrides.filter((entry) => entry.isInForce);
  return [
    ...(killSwitchSince === null ? [] : [switchLine(killSwitchSince)]),
    ...inForce.map((entry) => {
      const end = entry.until === null ? 'until it is ended' : `until ${momentText(entry.until)}`;
      const what = entry.mode === 'observe' ? 'nothing' : 'no rollback';
      return `Override of ${scopeText(entry)}: ${what} leaves, by ${visible(entry.by)} ${end}: ${visible(entry.reason)}`;
    }),
    ...(breaker.isOpen || breaker.commonCause !== null ? breakerLines({ ...breaker, coolDowns: [] }) : []),
  ];
}

function switchLine(since: number): string {
  return `The kill switch file is there since ${momentText(since)}: no rollback leaves.`;
}

/** The kill switch and the breaker in a line each, then all overrides, those in force first. */
export function overridePage(holds: HoldListWire, breaker: BreakerWire, options: TableOptions): string {
  const { killSwitchSince, overrides } = holds;
  const switched = killSwitchSince === null ? [] : [switchLine(killSwitchSince)];
  const inForce = overrides.filter((entry) => entry.isInForce);
  const over = overrides.filter((entry) => !entry.isInForce);
  const table = renderTable(COLUMNS, [...inForce, ...over].map(rowOf), options);
  return [
    ...switched.map((line) => toned(line, 'bad', options.color === true)),
    ...breakerLines(breaker),
    '',
    overrides.length === 0 ? 'No override is in force or was.' : table,
  ].join('\n');
}

function breakerLines({
  isOpen,
  rollbacksLastHour,
  maxRollbacksPerHour,
  coolDowns,
  commonCause,
  commonCausePolicy,
}: BreakerWire): string[] {
  const count = `${rollbacksLastHour} of at most ${maxRollbacksPerHour} rollbacks in the last hour`;
  const shared = `${commonCausePolicy.services} services turned bad within ${lengthText(commonCausePolicy.withinMs)}`;
  return [
    `Breaker: ${isOpen ? 'open, no rollback leaves' : 'closed'}; ${count}.`,
    ...(commonCause === null ? [] : [`Common cause: ${shared} since ${momentText(commonCause.since)}; rollbacks are held.`]),
    ...coolDowns.map(({ service, until }) => `Cooling down: ${visible(service)} until ${momentText(until)}.`),
  ];
}

function rowOf(entry: HoldEntryWire): Cell[] {
  const { mode, by, at, until, endedAt, endedBy, reason, isInForce } = entry;
  const end = endedAt === null ? (until === null ? 'ended by hand' : momentText(until)) : `${momentText(endedAt)} by ${endedBy ?? '?'}`;
  return [
    scopeText(entry),
    mode,
    { text: isInForce ? 'in force' : 'over', tone: isInForce ? 'warning' : 'dim' },
    by,
    momentText(at),
    end,
    reason,
  ];
}
