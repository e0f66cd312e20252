/** Recurring local times: the rules of iCalendar, and what clocks do to them. */
import { fc, it } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { Complaint } from '../../src/config/quantity.ts';
import { occurrences, parseRecurrence, type Recurrence } from '../../src/config/recurrence.ts';
import { instantOf } from '../../src/config/wall-clock.ts';
import { offsetMs } from '../../src/model/local-time.ts';

function ruleOf(text: string): Recurrence {
  const rule = parseRecurrence(text);
  if (rule instanceof Complaint) throw new Error(rule.message);
  return rule;
}

function times(text: string, start: string, { timeZone = 'UTC', from = start.slice(0, 10), to = '2032-01-01', most = 5 } = {}): string[] {
  const range = { start, timeZone, from: Date.parse(`${from}T00:00:00Z`), to: Date.parse(`${to}T00:00:00Z`), most };
  return occurrences(ruleOf(text), range).map((at) => new Date(at).toISOString().slice(0, 16));
}

describe('a recurring time', () => {
  // Computed by hand from calendars of 2026 and 2028.
  it.each([
    ['FREQ=WEEKLY;BYDAY=SU', '2026-01-04T02:00:00', ['2026-01-04T02:00', '2026-01-11T02:00', '2026-01-18T02:00']],
    ['FREQ=WEEKLY;BYDAY=SU', '2026-01-05T02:00:00', ['2026-01-11T02:00', '2026-01-18T02:00', '2026-01-25T02:00']],
    ['FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR', '2026-01-05T09:00:00', ['2026-01-05T09:00', '2026-01-09T09:00', '2026-01-19T09:00']],
    ['FREQ=MONTHLY;BYDAY=1SU', '2026-01-01T02:00:00', ['2026-01-04T02:00', '2026-02-01T02:00', '2026-03-01T02:00']],
    ['FREQ=MONTHLY;BYDAY=-1SU', '2026-01-01T02:00:00', ['2026-01-25T02:00', '2026-02-22T02:00', '2026-03-29T02:00']],
    ['FREQ=MONTHLY;BYMONTHDAY=31', '2026-01-31T02:00:00', ['2026-01-31T02:00', '2026-03-31T02:00', '2026-05-31T02:00']],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', '2026-01-31T02:00:00', ['2026-01-31T02:00', '2026-02-28T02:00', '2026-03-31T02:00']],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '2026-01-30T09:00:00', ['2026-01-30T09:00', '2026-02-27T09:00', '2026-03-31T09:00']],
    ['FREQ=DAILY;BYHOUR=9,17;BYMINUTE=30', '2026-01-04T09:30:00', ['2026-01-04T09:30', '2026-01-04T17:30', '2026-01-05T09:30']],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '2024-02-29T00:00:00', ['2024-02-29T00:00', '2028-02-29T00:00']],
    ['freq=daily;count=2', '2026-01-04T02:00:00', ['2026-01-04T02:00', '2026-01-05T02:00']],
    ['FREQ=DAILY;UNTIL=20260105', '2026-01-04T02:00:00', ['2026-01-04T02:00', '2026-01-05T02:00']],
    ['FREQ=DAILY;UNTIL=20260105T010000', '2026-01-04T02:00:00', ['2026-01-04T02:00']],
    ['FREQ=DAILY;UNTIL=20260105T020000Z', '2026-01-04T02:00:00', ['2026-01-04T02:00', '2026-01-05T02:00']],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', '2026-01-04T02:00:00', []],
  ])('%s from %s', (rule, start, expected) => {
    expect(times(rule, start, { most: 3 })).toEqual(expected);
  });

  it('keeps its time of day when summer time begins and ends', () => {
    expect(times('FREQ=WEEKLY', '2026-03-22T02:00:00', { timeZone: 'Europe/Lisbon', most: 2 })).toEqual([
      '2026-03-22T02:00',
      '2026-03-29T01:00',
    ]);
    expect(times('FREQ=WEEKLY', '2026-10-18T02:00:00', { timeZone: 'Europe/Lisbon', most: 2 })).toEqual([
      '2026-10-18T01:00',
      '2026-10-25T02:00',
    ]);
  });

  it('that the clocks skip comes as long after the change as it lies after the skip', () => {
    expect(times('FREQ=DAILY', '2026-03-28T01:30:00', { timeZone: 'Europe/Lisbon', most: 3 })).toEqual([
      '2026-03-28T01:30',
      '2026-03-29T01:30',
      '2026-03-30T00:30',
    ]);
  });

  it('that the clocks show twice comes once, at the first', () => {
    expect(times('FREQ=DAILY', '2026-10-24T01:30:00', { timeZone: 'Europe/Lisbon', most: 3 })).toEqual([
      '2026-10-24T00:30',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
  });

  it('ends by a UTC instant where the rule gives one, by the local clock where it does not', () => {
    const zone = { timeZone: 'America/New_York', most: 9 };
    expect(times('FREQ=DAILY;UNTIL=20260106T010000', '2026-01-04T20:00:00', zone)).toHaveLength(2);
    expect(times('FREQ=DAILY;UNTIL=20260106T010000Z', '2026-01-04T20:00:00', zone)).toHaveLength(2);
    expect(times('FREQ=DAILY;UNTIL=20260106T005959Z', '2026-01-04T20:00:00', zone)).toHaveLength(1);
  });

  it('is found decades after its start', () => {
    expect(times('FREQ=WEEKLY;BYDAY=SU', '1990-01-07T02:00:00', { from: '2026-01-01', most: 2 })).toEqual([
      '2026-01-04T02:00',
      '2026-01-11T02:00',
    ]);
  });
});

describe('times far from the start', () => {
  const rule = fc.tuple(
    fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
    fc.integer({ min: 1, max: 5 }),
    fc.constantFrom(
      '',
      ';BYDAY=SU',
      ';BYDAY=MO,FR',
      ';BYMONTHDAY=1,15',
      ';BYMONTHDAY=-1',
      ';BYMONTH=2,7',
      ';BYHOUR=3,15',
      ';WKST=SU;BYDAY=SU,MO',
    ),
  );
  const start = fc.tuple(fc.integer({ min: 2018, max: 2024 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }));

  it.prop([rule, start], { numRuns: 150 })(
    'are those that are found from the start on',
    ([frequency, interval, by], [year, month, day]) => {
      const text = `FREQ=${frequency};INTERVAL=${interval}${by}`;
      const begin = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}T02:30:00`;
      const all = times(text, begin, { from: '2018-01-01', to: '2027-01-01', most: 1e6 });
      const late = times(text, begin, { from: '2026-03-05', to: '2027-01-01', most: 1e6 });
      expect(late).toEqual(all.filter((at) => at >= '2026-03-05'));
    },
  );

  it('are found soon, however often it comes', () => {
    const minutes = Array.from({ length: 60 }, (_, minute) => minute).join(',');
    const hours = Array.from({ length: 24 }, (_, hour) => hour).join(',');
    expect(
      times(`FREQ=DAILY;BYHOUR=${hours};BYMINUTE=${minutes}`, '1970-01-01T00:00:00', { from: '2026-01-01', most: 20_001 }),
    ).toHaveLength(20_001);
  });
});

describe('an offset', () => {
  // IANA time zone database, 2026.
  it.each([
    ['Asia/Kathmandu', '2026-06-01T00:00:00Z', 345],
    ['Australia/Lord_Howe', '2026-01-15T00:00:00Z', 660],
    ['Australia/Lord_Howe', '2026-06-15T00:00:00Z', 630],
    ['America/St_Johns', '2026-01-15T00:00:00Z', -210],
    ['Pacific/Kiritimati', '2026-01-15T00:00:00Z', 840],
    ['UTC', '2026-01-15T00:00:00Z', 0],
  ])('of %s at %s is %d minutes', (zone, at, minutes) => {
    expect(offsetMs(Date.parse(at), zone) / 60_000).toBe(minutes);
  });

  it('of half an hour of summer time is respected', () => {
    // Lord Howe skips 02:00 to 02:30 on 4 October 2026.
    expect(new Date(instantOf(Date.parse('2026-10-04T02:15:00Z'), 'Australia/Lord_Howe')).toISOString()).toBe('2026-10-03T15:45:00.000Z');
  });
});

describe('a rule that is not understood', () => {
  it.each([
    ['RRULE:FREQ=DAILY', 'the name in front is too much', 'FREQ=DAILY'],
    ['FREQ=WEKLY;BYDAY=SU', '`FREQ=WEKLY`: not a value of it', 'FREQ=WEEKLY;BYDAY=SU'],
    ['FREQ=SECONDLY', '`FREQ=SECONDLY`: not a value of it', undefined],
    ['BYDAY=SU', 'how often it comes is missing', 'FREQ=WEEKLY;BYDAY=SU'],
    ['FREQ=WEEKLY;BYDAY=XX', '`BYDAY=XX`: not a value of it', undefined],
    ['FREQ=WEEKLY;BYDAYS=SU', '`BYDAYS` is not known here', 'BYDAY'],
    ['FREQ=WEEKLY;INTERVAL=0', '`INTERVAL=0`: not a value of it', undefined],
    ['FREQ=WEEKLY;BYDAY=1SU', 'a numbered day such as 1SU is of a month', undefined],
    ['FREQ=DAILY;COUNT=3;UNTIL=20260101', '`COUNT` and `UNTIL` both say when it ends', undefined],
    ['FREQ=DAILY;FREQ=DAILY', '`FREQ` is there twice', undefined],
    ['every sunday', '`EVERY SUNDAY` is no part of a rule', undefined],
    ['FREQ=DAILY;UNTIL=2026-01-01', '`UNTIL=2026-01-01`: not a value of it', undefined],
  ])('%s is refused: %s', (text, message, suggestion) => {
    expect(parseRecurrence(text)).toMatchObject({ message: expect.stringContaining(message), suggestion });
  });
});
