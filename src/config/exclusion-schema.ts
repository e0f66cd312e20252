/** Time that counts for no objective, as a file says it, and the intervals it comes to. */
import { z } from 'zod';
import type { Exclusion } from '../model/objective.ts';
import type { EpochMs } from '../model/time.ts';
import { duration, scalar } from './fields.ts';
import { NAME_EXPECTED, NAME_PATTERN } from './name-pattern.ts';
import type { Finding, YamlPath } from './problem.ts';
import { occurrences, parseRecurrence } from './recurrence.ts';
import { instantOf } from './wall-clock.ts';
import { localTime, timeZone } from './window-schema.ts';

const DAY_MS = 86_400_000;
/** As far back as a rolling window reaches, and more than a year ahead: files are read anew at every change and start. */
const BACK_MS = 93 * DAY_MS;
const AHEAD_MS = 400 * DAY_MS;
export const MAX_INTERVALS = 20_000;

const RECURRING = ['rrule', 'start', 'duration'] as const;
const ONCE = ['from', 'to'] as const;

const exclusion = z
  .strictObject({
    name: z.string().regex(NAME_PATTERN, NAME_EXPECTED).describe('Name that reports use.'),
    reason: z.string().min(1).max(500).describe('Why this time does not count; whoever reads the budget reads it.'),
    rrule: scalar({ type: 'string', examples: ['FREQ=WEEKLY;BYDAY=SU'] }, parseRecurrence)
      .optional()
      .describe(
        'When it comes again, by iCalendar (RFC 5545): FREQ DAILY to YEARLY with INTERVAL, COUNT, UNTIL and the BY… parts. With `start` and `duration`.',
      ),
    start: localTime.optional().describe('Local time of the first; the time of day of all, whatever summer time does.'),
    duration: duration({ min: '1s', max: '31d', usual: 'h' }).optional().describe('How long it lasts each time, in time that passes.'),
    from: localTime.optional().describe('Local time at which it begins, once. With `to`.'),
    to: localTime.optional().describe('Local time at which it ends.'),
    timeZone: timeZone.optional().describe('IANA zone of the local times. Left out: UTC.'),
  })
  .refine((entry) => {
    const [recurring, once] = [RECURRING, ONCE].map((keys) => keys.filter((key) => entry[key] !== undefined).length);
    return (recurring === RECURRING.length && once === 0) || (recurring === 0 && once === ONCE.length);
  }, 'an exclusion has either `rrule`, `start` and `duration`, or `from` and `to`')
  .meta({ oneOf: [{ required: [...RECURRING] }, { required: [...ONCE] }] });

export const exclusionsSchema = z
  .array(exclusion)
  .max(100)
  .optional()
  .describe(
    'Time whose requests count for no objective, neither good nor bad: maintenance that customers were told of. Those of `Defaults` hold besides. Recurring ones are known 400 days ahead of the last reading of the files.',
  );

export type ExclusionEntry = z.output<typeof exclusion>;

interface Critic {
  readonly refuse: (path: YamlPath, finding: Finding) => void;
  readonly warn: (path: YamlPath, finding: Finding) => void;
}

/** Exclusions of one document, with their intervals over [now − 93 d, now + 400 d]; those that have none there are left out. */
export function exclusionsOf(entries: readonly ExclusionEntry[], now: EpochMs, { refuse, warn }: Critic): readonly Exclusion[] {
  const names = new Set<string>();
  return entries.flatMap((entry, index): Exclusion[] => {
    const path = ['spec', 'exclusions', index];
    const { name, reason } = entry;
    if (names.has(name)) refuse([...path, 'name'], { message: `another exclusion is named \`${name}\``, expected: 'a name of its own' });
    names.add(name);
    const intervals = intervalsOf(entry, now);
    if (intervals === 'too many') {
      refuse([...path, 'rrule'], {
        message: `more than ${MAX_INTERVALS} times within ${(BACK_MS + AHEAD_MS) / DAY_MS} days`,
        expected: 'a rule that comes less often',
      });
      return [];
    }
    if (intervals === 'backwards') {
      refuse([...path, 'to'], { message: 'it ends before it begins', expected: 'a time after `from`' });
      return [];
    }
    if (intervals.length > 0) return [{ name, reason, intervals }];
    warn(path, {
      message: `\`${name}\` comes to nothing within 93 days back and 400 days ahead`,
      expected: 'a rule and a start that come together',
    });
    return [];
  });
}

type Intervals = Exclusion['intervals'];

function intervalsOf(entry: ExclusionEntry, now: EpochMs): Intervals | 'too many' | 'backwards' {
  const zone = entry.timeZone ?? 'UTC';
  const [from, to] = [now - BACK_MS, now + AHEAD_MS];
  if (entry.from !== undefined && entry.to !== undefined) {
    const [begin, end] = [instantOf(Date.parse(`${entry.from}Z`), zone), instantOf(Date.parse(`${entry.to}Z`), zone)];
    if (end <= begin) return 'backwards';
    return end <= from || begin >= to ? [] : [[begin, end]];
  }
  const { rrule, start = '', duration: lastsMs = 0 } = entry;
  if (rrule === undefined) return [];
  const starts = occurrences(rrule, { start, timeZone: zone, from: from - lastsMs, to, most: MAX_INTERVALS + 1 });
  if (starts.length > MAX_INTERVALS) return 'too many';
  return merged(starts.map((begin) => [begin, begin + lastsMs]));
}

/** Sorted, and those that touch or overlap as one. */
function merged(intervals: readonly (readonly [EpochMs, EpochMs])[]): Intervals {
  const result: [EpochMs, EpochMs][] = [];
  for (const [begin, end] of [...intervals].sort(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last !== undefined && begin <= last[1]) last[1] = Math.max(last[1], end);
    else result.push([begin, end]);
  }
  return result;
}
