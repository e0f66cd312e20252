/** Whether something gets worse day by day: a robust slope over the same hours of several days. */
import type { TrendRule } from '../../model/objective.ts';
import type { TrendView } from '../../model/slo-views.ts';
import type { EpochMs } from '../../model/time.ts';

const DAY_MS = 86_400_000;

/** A value that was 0 has no ratio: such changes, and all beyond it, count as this factor. */
const LARGEST_FACTOR = 1000;
/** Share of the hours of all days, and of a day, that must have a value. */
const LEAST_PRESENT = 0.5;
/** Share of the days that must have risen: a step up once and level since is no trend, however steep its slope. */
const LEAST_RISING = 0.75;

/** Hours of one day, always the same ones in the same places; null for an hour without enough data. Values are not negative. */
export type DayOfHours = readonly (number | null)[];

/**
 * Judges `rule.days + 1` days up to `now`, oldest first; more are cut off at the old end. The slope is Theil and Sen's (Sen, JASA 63, 1968): the median, over
 * all pairs of the same hour of two days, of ln(later / earlier) per day between them, so that neither the daily wave nor single bad hours (up to 29 % of
 * them) move it. It is too steep when it is `growthPerDay` or more and three quarters of the days, rounded up, were above the day before them, each by the
 * median of its hours.
 *
 * With a capacity, it is about the busiest hour of each day: a line through them, again by the median of slopes, and too steep when it is there within
 * `rule.days`. Too little data: fewer than half of all hours, or of the steps from day to day, can be told.
 */
export function trendOf(daysOfHours: readonly DayOfHours[], rule: TrendRule, now: EpochMs): TrendView {
  const days = daysOfHours.slice(-(rule.days + 1));
  const view = { id: rule.id, text: rule.text, endpoint: rule.endpoint, days: dailyValues(days) };
  const present = days.reduce((sum, day) => sum + day.filter((value) => value !== null).length, 0);
  const hours = Math.max(0, ...days.map((day) => day.length));
  const steps = days.slice(1).map((day, i) => median(pairsOf(days[i] as DayOfHours, day, 1)));
  const told = steps.filter((step) => step !== null);
  const isEnough = days.length > rule.days && present >= LEAST_PRESENT * hours * days.length && told.length >= LEAST_PRESENT * steps.length;
  const slope = isEnough && present > 0 ? median(allPairs(days)) : null;
  if (slope === null) return { ...view, outcome: 'too_little_data', growthPerDay: null, reachedAt: null };
  const growthPerDay = Math.expm1(slope);
  if (rule.capacity !== null) {
    const reachedAt = capacityReachedAt(days, rule.capacity, now);
    const isSoon = reachedAt !== null && reachedAt <= now + rule.days * DAY_MS;
    return { ...view, outcome: isSoon ? 'too_steep' : 'steady', growthPerDay, reachedAt };
  }
  const rising = told.filter((step) => step > 0).length;
  // A growth that is exactly what the rule names counts, whatever the logarithm made of it.
  const isSteep = growthPerDay >= rule.growthPerDay * (1 - 1e-9) && rising >= Math.ceil(LEAST_RISING * told.length);
  return { ...view, outcome: isSteep ? 'too_steep' : 'steady', growthPerDay, reachedAt: null };
}

/** ln(later / earlier) per day, for every hour that both days have. */
function pairsOf(earlier: DayOfHours, later: DayOfHours, daysBetween: number): number[] {
  const slopes: number[] = [];
  for (let hour = 0; hour < later.length; hour++) {
    const from = earlier[hour] ?? null;
    const to = later[hour] ?? null;
    if (from !== null && to !== null) slopes.push(Math.log(factor(from, to)) / daysBetween);
  }
  return slopes;
}

function allPairs(days: readonly DayOfHours[]): number[] {
  return days.flatMap((earlier, i) => days.slice(i + 1).flatMap((later, gap) => pairsOf(earlier, later, gap + 1)));
}

function factor(from: number, to: number): number {
  if (from === to) return 1;
  return Math.min(Math.max(to / from, 1 / LARGEST_FACTOR), LARGEST_FACTOR);
}

/** Medians over the hours that all days with enough of them have; null for a day without enough. */
function dailyValues(days: readonly DayOfHours[]): (number | null)[] {
  const isEnough = (day: DayOfHours) => day.length > 0 && day.filter((value) => value !== null).length >= LEAST_PRESENT * day.length;
  const full = days.filter(isEnough);
  const shared = (full[0] ?? []).map((_, hour) => full.every((day) => (day[hour] ?? null) !== null));
  const hasShared = shared.includes(true);
  return days.map((day) =>
    isEnough(day) ? median(day.filter((value, hour): value is number => value !== null && (!hasShared || shared[hour] === true))) : null,
  );
}

/** When the busiest hours of the days, drawn on as a line, reach `capacity`; `now` when the last day did; null: not at this slope. */
function capacityReachedAt(days: readonly DayOfHours[], capacity: number, now: EpochMs): EpochMs | null {
  const peaks = days.flatMap((day, i) => {
    const values = day.filter((value) => value !== null);
    return values.length === 0 ? [] : [{ day: i - (days.length - 1), peak: Math.max(...values) }];
  });
  if (peaks.some(({ day, peak }) => day === 0 && peak >= capacity)) return now;
  const slope = median(peaks.flatMap((from, i) => peaks.slice(i + 1).map((to) => (to.peak - from.peak) / (to.day - from.day))));
  const level = slope === null ? null : median(peaks.map(({ day, peak }) => peak - slope * day));
  if (slope === null || level === null || slope <= 0) return null;
  return now + Math.max(0, (capacity - level) / slope) * DAY_MS;
}

/** Middle value, the mean of the middle two of an even number; null of nothing. */
function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
