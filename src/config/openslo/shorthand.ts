/** OpenSLO's way to write lengths of time: one number, one unit, where `m` is a minute and `M` a month. */
import type { DurationMs } from '../../model/time.ts';

export type ShorthandUnit = 'm' | 'h' | 'd' | 'w' | 'M' | 'Q' | 'Y';

export interface Shorthand {
  readonly count: number;
  readonly unit: ShorthandUnit;
}

/** Source: OpenSLO v1, "duration shorthand"; the case of the unit counts. */
export const SHORTHAND_PATTERN = /^([0-9]{1,9})([mhdwMQY])$/;
export const EXPECTED_SHORTHAND = 'a whole number and one of m (minutes), h, d, w, M (months), Q, Y, such as `28d` or `1M`';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Fixed lengths as the SDK has them; a calendar window is as long as the calendar makes it. */
const UNIT_MS: Readonly<Record<ShorthandUnit, number>> = {
  m: MINUTE_MS,
  h: 60 * MINUTE_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
  M: 30 * DAY_MS,
  Q: 90 * DAY_MS,
  Y: 365 * DAY_MS,
};

/** Null for anything that is no shorthand. */
export function parseShorthand(text: string): Shorthand | null {
  const match = SHORTHAND_PATTERN.exec(text);
  return match === null ? null : { count: Number(match[1]), unit: match[2] as ShorthandUnit };
}

export function shorthandMs({ count, unit }: Shorthand): DurationMs {
  return count * UNIT_MS[unit];
}

/** The shortest shorthand without months, quarters and years, whose length the reader might take from a calendar; null for what is no whole minutes. */
export function shorthandOf(ms: DurationMs): string | null {
  if (!(ms > 0) || ms % MINUTE_MS !== 0) return null;
  for (const unit of ['w', 'd', 'h', 'm'] as const) if (ms % UNIT_MS[unit] === 0) return `${ms / UNIT_MS[unit]}${unit}`;
  return null;
}
