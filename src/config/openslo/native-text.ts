/** Numbers in the words of our own files: percentages, limits of latency and rates, exact and without float dirt. */
import type { DurationMs } from '../../model/time.ts';

/** Decimal places that the files take. */
const PERCENT_PLACES = 12;
const VALUE_PLACES = 9;

/** 0.999 → `99.9%`: the decimal point is moved in the text. */
export function percentText(ratio: number): string {
  return `${plainNumber(Number(`${ratio}e2`), PERCENT_PLACES)}%`;
}

/** False for ratios with more digits than a percentage of ours has. */
export function fitsPercent(ratio: number): boolean {
  return Number(`${percentText(ratio).slice(0, -1)}e-2`) === ratio;
}

/** False for numbers that `plainNumber` would round, or that are none. */
export function fitsPlain(value: number): boolean {
  return Math.abs(value) < 1e15 && Number(plainNumber(value)) === value;
}

/** Without exponent, cut to so many decimal places. */
export function plainNumber(value: number, places = VALUE_PLACES): string {
  const fixed = value.toFixed(places);
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

const LATENCY_UNITS: readonly (readonly [unit: string, ns: number])[] = [
  ['h', 3_600e9],
  ['m', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
  ['ns', 1],
];

/** The largest unit in which a limit is whole: 1,500,000,000 ns is 1500 ms. */
export function latencyIn(ns: number): { readonly value: number; readonly unit: string } {
  const [unit, size] = LATENCY_UNITS.find(([, each]) => ns % each === 0) ?? ['ns', 1];
  return { value: ns / size, unit };
}

export const LATENCY_UNIT_NAMES: readonly string[] = LATENCY_UNITS.map(([unit]) => unit);

const RATE_UNITS: readonly (readonly [unit: string, seconds: number])[] = [
  ['1/s', 1],
  ['1/m', 60],
  ['1/h', 3600],
];

/** The shortest time in which a rate has few decimal places: 1 a minute is not 0.016666667 a second. */
export function rateIn(perSecond: number): { readonly value: number; readonly unit: string } {
  for (const [unit, seconds] of RATE_UNITS) {
    const value = Number(plainNumber(perSecond * seconds, 6));
    if (value / seconds === perSecond) return { value, unit };
  }
  return { value: perSecond, unit: '1/s' };
}

export const RATE_UNIT_NAMES: readonly string[] = RATE_UNITS.map(([unit]) => unit);

/** In the largest unit of our files that is whole: 5,400,000 ms is `90m`. */
export function durationText(ms: DurationMs): string {
  const units = [
    ['w', 604_800_000],
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const;
  const [unit, size] = units.find(([, each]) => ms % each === 0) ?? (['ms', 1] as const);
  return `${ms / size}${unit}`;
}
