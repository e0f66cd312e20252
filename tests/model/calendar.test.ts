/** Calendar periods begin when the clock on the wall says so, whatever the zone does to it. */
import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type CalendarWindow, calendarPeriod } from '../../src/model/calendar.ts';

const calendar = (change: Partial<CalendarWindow>): CalendarWindow => ({
  unit: 'month',
  count: 1,
  timeZone: 'UTC',
  start: '2024-01-01T00:00:00',
  ...change,
});
const iso = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('a calendar period', () => {
  it.each<[string, Partial<CalendarWindow>, at: string, from: string, to: string]>([
    ['a month of UTC', {}, '2026-02-10T12:00:00Z', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'],
    ['February of a leap year', {}, '2024-02-29T23:59:59Z', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['February of 2100, which is none', {}, '2100-02-28T23:59:59Z', '2100-02-01T00:00:00Z', '2100-03-01T00:00:00Z'],
    // Portugal puts clocks forward at 01:00 on 2026-03-29, back at 02:00 on 2026-10-25.
    ['March in Lisbon', { timeZone: 'Europe/Lisbon' }, '2026-03-31T22:59:59Z', '2026-03-01T00:00:00Z', '2026-03-31T23:00:00Z'],
    ['October in Lisbon', { timeZone: 'Europe/Lisbon' }, '2026-10-01T00:00:00Z', '2026-09-30T23:00:00Z', '2026-11-01T00:00:00Z'],
    [
      '23 hours in Lisbon',
      { unit: 'day', timeZone: 'Europe/Lisbon' },
      '2026-03-29T12:00:00Z',
      '2026-03-29T00:00:00Z',
      '2026-03-29T23:00:00Z',
    ],
    [
      '25 hours in Lisbon',
      { unit: 'day', timeZone: 'Europe/Lisbon' },
      '2026-10-25T12:00:00Z',
      '2026-10-24T23:00:00Z',
      '2026-10-26T00:00:00Z',
    ],
    // 01:30 is skipped: clocks go from 01:00 to 02:00 at 01:00Z.
    [
      'a day that begins at a time that is skipped',
      { unit: 'day', timeZone: 'Europe/Lisbon', start: '2026-01-01T01:30:00' },
      '2026-03-29T01:00:00Z',
      '2026-03-29T01:00:00Z',
      '2026-03-30T00:30:00Z',
    ],
    // 01:30 is twice: 00:30Z (summer time) and 01:30Z.
    [
      'a day that begins at a time that happens twice',
      { unit: 'day', timeZone: 'Europe/Lisbon', start: '2026-01-01T01:30:00' },
      '2026-10-25T01:00:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00Z',
    ],
    // The United States put clocks forward at 02:00 on 2026-03-08, back on 2026-11-01.
    [
      'a week in New York',
      { unit: 'week', timeZone: 'America/New_York', start: '2026-01-05T00:00:00' },
      '2026-03-08T12:00:00Z',
      '2026-03-02T05:00:00Z',
      '2026-03-09T04:00:00Z',
    ],
    [
      'a quarter in New York',
      { unit: 'quarter', timeZone: 'America/New_York' },
      '2026-12-01T00:00:00Z',
      '2026-10-01T04:00:00Z',
      '2027-01-01T05:00:00Z',
    ],
    [
      'two weeks from a Monday',
      { unit: 'week', count: 2, start: '2026-01-05T00:00:00' },
      '2026-02-02T00:00:00Z',
      '2026-02-02T00:00:00Z',
      '2026-02-16T00:00:00Z',
    ],
    [
      'a day in Kathmandu',
      { unit: 'day', timeZone: 'Asia/Kathmandu' },
      '2026-06-01T18:14:59Z',
      '2026-05-31T18:15:00Z',
      '2026-06-01T18:15:00Z',
    ],
    // Lord Howe Island moves by half an hour: from +11 to +10:30 on 2026-04-05, back on 2026-10-04 at 02:00.
    [
      '24.5 hours on Lord Howe',
      { unit: 'day', timeZone: 'Australia/Lord_Howe' },
      '2026-04-05T00:00:00Z',
      '2026-04-04T13:00:00Z',
      '2026-04-05T13:30:00Z',
    ],
    [
      '23.5 hours on Lord Howe',
      { unit: 'day', timeZone: 'Australia/Lord_Howe' },
      '2026-10-04T00:00:00Z',
      '2026-10-03T13:30:00Z',
      '2026-10-04T13:00:00Z',
    ],
    [
      'a month from the 31st, clamped',
      { start: '2024-01-31T00:00:00' },
      '2026-03-15T00:00:00Z',
      '2026-02-28T00:00:00Z',
      '2026-03-31T00:00:00Z',
    ],
    [
      'a month from the 31st in a leap year',
      { start: '2024-01-31T00:00:00' },
      '2024-03-01T00:00:00Z',
      '2024-02-29T00:00:00Z',
      '2024-03-31T00:00:00Z',
    ],
    [
      'a year from the 29th of February',
      { unit: 'year', start: '2024-02-29T00:00:00' },
      '2026-01-01T00:00:00Z',
      '2025-02-28T00:00:00Z',
      '2026-02-28T00:00:00Z',
    ],
    [
      'the leap year it comes back to',
      { unit: 'year', start: '2024-02-29T00:00:00' },
      '2028-03-01T00:00:00Z',
      '2028-02-29T00:00:00Z',
      '2029-02-28T00:00:00Z',
    ],
    ['time before the start', { unit: 'month', count: 2 }, '2023-11-15T00:00:00Z', '2023-11-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    // Samoa had no 2011-12-30: it went from -10 to +14 at 2011-12-30T10:00Z.
    [
      'the day after a day that never was',
      { unit: 'day', timeZone: 'Pacific/Apia' },
      '2011-12-30T10:00:00Z',
      '2011-12-30T10:00:00Z',
      '2011-12-31T10:00:00Z',
    ],
    [
      'the day before it',
      { unit: 'day', timeZone: 'Pacific/Apia' },
      '2011-12-30T09:59:59Z',
      '2011-12-29T10:00:00Z',
      '2011-12-30T10:00:00Z',
    ],
  ])('is %s', (_, change, at, from, to) => {
    const period = calendarPeriod(calendar(change), Date.parse(at));
    expect([iso(period.fromMs), iso(period.toMs)]).toEqual([from, to]);
  });

  it('is refused in a zone that is not on the map', () => {
    expect(() => calendarPeriod(calendar({ timeZone: 'Mars/Olympus' }), 0)).toThrow(RangeError);
  });

  const anyCalendar = fc.record({
    unit: fc.constantFrom('day' as const, 'week' as const, 'month' as const, 'quarter' as const, 'year' as const),
    count: fc.integer({ min: 1, max: 4 }),
    timeZone: fc.constantFrom(
      'UTC',
      'Europe/Lisbon',
      'America/New_York',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'America/Sao_Paulo',
    ),
    start: fc
      .record({ day: fc.integer({ min: 0, max: 3000 }), second: fc.integer({ min: 0, max: 86_399 }) })
      .map(({ day, second }) => new Date(Date.UTC(2015, 0, 1) + day * DAY_MS + second * 1000).toISOString().slice(0, 19)),
  });

  property.prop({
    window: anyCalendar,
    at: fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2035, 0) }),
    steps: fc.integer({ min: 1, max: 6 }),
  })('holds the moment asked for, and the next one begins where it ends', ({ window, at, steps }) => {
    let period = calendarPeriod(window, at);
    expect(period.fromMs).toBeLessThanOrEqual(at);
    expect(period.toMs).toBeGreaterThan(at);
    for (let step = 0; step < steps; step++) {
      const next = calendarPeriod(window, period.toMs);
      expect(next.fromMs).toBe(period.toMs);
      // Asked without memory of the one before.
      expect(calendarPeriod({ ...window }, next.toMs - 1)).toEqual(next);
      expect(calendarPeriod({ ...window }, next.fromMs - 1)).toEqual(period);
      period = next;
    }
  });
});
