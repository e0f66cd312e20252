/** Periods of the calendar in a time zone. */

/** Repeats every `count` units from `start` on, local time of `timeZone` throughout. */
export interface CalendarWindow {
  readonly unit: 'day' | 'week' | 'month' | 'quarter' | 'year';
  readonly count: number;
  /** IANA name. */
  readonly timeZone: string;
  /** Local time without zone, `YYYY-MM-DDThh:mm:ss`: some period begins then. */
  readonly start: string;
}
