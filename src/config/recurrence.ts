/** Recurring local times by the RRULE of iCalendar (RFC 5545, section 3.3.10), as far as maintenance needs them. */
import { createRequire } from 'node:module';
import type { EpochMs } from '../model/time.ts';
import { nearestName } from './nearest-name.ts';
import { Complaint } from './quantity.ts';
import { instantOf } from './wall-clock.ts';

// Its build for Node names no exports that an import statement could see.
const { rrulestr } = createRequire(import.meta.url)('rrule') as typeof import('rrule');

const DAY_MS = 86_400_000;
const MAX_TEXT_CHARS = 500;
const EXPECTED = 'a rule such as `FREQ=WEEKLY;BYDAY=SU` or `FREQ=MONTHLY;BYDAY=1SU`';

/** A rule that has been read. */
export interface Recurrence {
  /** Without `UNTIL`, which the library takes for UTC. */
  readonly rule: string;
  /** The last local time at which it may begin, shown as UTC; or an instant. Null: no end. */
  readonly until: { readonly at: EpochMs; readonly isInstant: boolean } | null;
}

/** What a part's values look like, and what is said when they do not. */
const PARTS: Readonly<Record<string, readonly [RegExp, string]>> = {
  FREQ: [/^(DAILY|WEEKLY|MONTHLY|YEARLY)$/, 'DAILY, WEEKLY, MONTHLY or YEARLY'],
  INTERVAL: [/^[1-9]\d{0,3}$/, 'a whole number from 1'],
  COUNT: [/^[1-9]\d{0,3}$/, '1 to 9999'],
  UNTIL: [/^\d{8}(T\d{6}Z?)?$/, 'a day such as 20261231, or a time such as 20261231T235959'],
  BYDAY: [list('[+-]?[1-5]?(MO|TU|WE|TH|FR|SA|SU)'), 'days such as SU, or 1SU and -1SU for the first and last of a month'],
  BYMONTHDAY: [list('-?([1-9]|[12]\\d|3[01])'), '1 to 31, or -1 for the last day'],
  BYMONTH: [list('([1-9]|1[0-2])'), '1 to 12'],
  BYSETPOS: [list('-?[1-9]\\d{0,2}'), 'such as -1 for the last of the set'],
  BYHOUR: [list('(\\d|1\\d|2[0-3])'), '0 to 23'],
  BYMINUTE: [list('[1-5]?\\d'), '0 to 59'],
  WKST: [/^(MO|TU|WE|TH|FR|SA|SU)$/, 'a day such as MO'],
};

function list(item: string): RegExp {
  return new RegExp(`^${item}(,${item})*$`);
}

export function parseRecurrence(value: unknown): Recurrence | Complaint {
  if (typeof value !== 'string' || value.length > MAX_TEXT_CHARS) return new Complaint('not a rule', EXPECTED);
  const text = value.trim().toUpperCase();
  if (text.startsWith('RRULE:')) return new Complaint('the name in front is too much', EXPECTED, text.slice(6));
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    const [, name = '', given] = /^([A-Z-]+)=(.*)$/.exec(part) ?? [];
    if (given === undefined) return new Complaint(`\`${part}\` is no part of a rule`, EXPECTED);
    const known = PARTS[name];
    if (known === undefined)
      return new Complaint(
        `\`${name}\` is not known here`,
        `one of ${Object.keys(PARTS).join(', ')}`,
        nearestName(name, Object.keys(PARTS)),
      );
    if (parts.has(name)) return new Complaint(`\`${name}\` is there twice`, EXPECTED);
    if (!known[0].test(given)) {
      const near = name === 'FREQ' ? nearestName(given, ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']) : undefined;
      return new Complaint(`\`${part}\`: not a value of it`, known[1], near && text.replace(part, `FREQ=${near}`));
    }
    parts.set(name, given);
  }
  const frequency = parts.get('FREQ');
  if (frequency === undefined) return new Complaint('how often it comes is missing', EXPECTED, `FREQ=WEEKLY;${text}`);
  if (parts.has('COUNT') && parts.has('UNTIL')) return new Complaint('`COUNT` and `UNTIL` both say when it ends', 'one of them');
  if (/\d/.test(parts.get('BYDAY') ?? '') && !/MONTHLY|YEARLY/.test(frequency))
    return new Complaint('a numbered day such as 1SU is of a month', '`FREQ=MONTHLY`');
  const last = parts.get('UNTIL');
  parts.delete('UNTIL');
  const rule = [...parts].map(([name, given]) => `${name}=${given}`).join(';');
  return { rule, until: last === undefined ? null : untilOf(last) };
}

/** A day lasts to its end. */
function untilOf(text: string): NonNullable<Recurrence['until']> {
  const [, year, month, day, hour = '23', minute = '59', second = '59', zulu] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/.exec(text) ?? [];
  const at = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return { at, isInstant: zulu !== undefined };
}

/**
 * Instants in [from, to) at which it comes, ascending, at most `most` of them: wall-clock time, the first at `start` (local, `YYYY-MM-DDThh:mm:ss`) if
 * that fits the rule.
 */
export function occurrences(
  { rule, until }: Recurrence,
  { start, timeZone, from, to, most }: { start: string; timeZone: string; from: EpochMs; to: EpochMs; most: number },
): readonly EpochMs[] {
  // No zone is further from UTC than a day.
  const [first, last] = [from - DAY_MS, to + DAY_MS];
  const near = new Date(nearStart(rule, Date.parse(`${start}Z`), first)).toISOString().slice(0, 19);
  const floating = rrulestr(`DTSTART:${near.replaceAll(/[-:]/g, '')}Z\nRRULE:${rule}`);
  const found: EpochMs[] = [];
  floating.between(new Date(first), new Date(last), true, (date) => {
    const shown = date.getTime();
    const at = instantOf(shown, timeZone);
    if (until !== null && (until.isInstant ? at : shown) > until.at) return false;
    if (at >= from && at < to) found.push(at);
    return found.length < most;
  });
  return found;
}

/**
 * A later start that makes the same times from `first` on, since the library goes through all times from the start: whole intervals of days or
 * weeks, months or years later, and never a day that some months lack. Rules that count their times have only one start.
 */
function nearStart(rule: string, startMs: EpochMs, first: EpochMs): EpochMs {
  if (/COUNT=/.test(rule) || first <= startMs) return startMs;
  const interval = Number(/INTERVAL=(\d+)/.exec(rule)?.[1] ?? 1);
  const stepDays = /FREQ=DAILY/.test(rule) ? interval : /FREQ=WEEKLY/.test(rule) ? 7 * interval : null;
  // One interval earlier than needed: the week or month of the start is not whole.
  if (stepDays !== null) return startMs + Math.max(0, Math.floor((first - startMs) / (stepDays * DAY_MS)) - 1) * stepDays * DAY_MS;
  const start = new Date(startMs);
  if (start.getUTCDate() > 28) return startMs;
  const stepMonths = (/FREQ=MONTHLY/.test(rule) ? 1 : 12) * interval;
  const end = new Date(first);
  const months = (end.getUTCFullYear() - start.getUTCFullYear()) * 12 + end.getUTCMonth() - start.getUTCMonth();
  start.setUTCMonth(start.getUTCMonth() + Math.max(0, Math.floor(months / stepMonths) - 1) * stepMonths);
  return start.getTime();
}
