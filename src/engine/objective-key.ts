/** Under which names an objective's counts are kept: they change with what is counted, not with what is promised about it. */
import type { CalendarWindow } from '../model/calendar.ts';
import type { Objective } from '../model/objective.ts';

/** Between the parts of a name: no objective's id has it. */
const SEPARATOR = '\u001f';

/** Asked for many times a second, and costly to put together. */
const known = new WeakMap<Objective, string>();

/** Same for the same events: a new target, window or alert goes on with the counts there are, a new limit, rule or slice begins anew. */
export function countsKey(objective: Objective): string {
  let key = known.get(objective);
  if (key === undefined) {
    key = spelledOut(objective);
    known.set(objective, key);
  }
  return key;
}

function spelledOut({ id, sli, budgeting }: Objective): string {
  const slice = budgeting.kind === 'occurrences' ? '' : `/${budgeting.sliceMs}${budgeting.ratio === null ? '' : `:${budgeting.ratio}`}`;
  switch (sli.kind) {
    case 'availability':
    case 'errorRate':
      return `${id}${slice}`;
    case 'latency':
      return `${id}@${sli.thresholdNs}${slice}`;
    case 'events':
      return `${id}@${sli.rule.key}${slice}`;
    case 'throughput':
      return `${id}@${sli.bound}${sli.perSecond}${slice}`;
    case 'inFlight':
      return `${id}@inflight${sli.limit}${slice}`;
    default:
      return sli satisfies never;
  }
}

/** Of what maintenance took out of those counts. */
export function excludedKey(key: string): string {
  return `${key}${SEPARATOR}excluded`;
}

/** Of the periods of one calendar; `key` may be that of what was taken out. */
export function periodKey(key: string, { unit, count, timeZone, start }: CalendarWindow): string {
  return `${key}${SEPARATOR}${count} ${unit} ${timeZone} ${start}`;
}

/** The counts that a name of any kind belongs to. */
export function baseKey(name: string): string {
  const at = name.indexOf(SEPARATOR);
  return at < 0 ? name : name.slice(0, at);
}
