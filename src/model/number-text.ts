/** Numbers as people read them: few digits, a unit, and never a rounding that claims more than is known. */
import type { DurationMs, EpochMs } from './time.ts';

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `15,203`. */
export function whole(value: number): string {
  return WHOLE.format(value);
}

/**
 * A ratio as percent with two telling digits, counted from 0 % or 100 %, whichever is nearer: 0.000592 is `0.059 %`, 0.99955 is `99.955 %`. What is
 * not exactly 0 or 1 never reads as if it were.
 */
export function percent(ratio: number): string {
  if (ratio === 0) return '0 %';
  if (ratio === 1) return '100 %';
  if (ratio > 1) return `${whole(ratio * 100)} %`;
  const telling = Math.min(ratio, 1 - ratio) * 100;
  if (telling < 0.0001) return ratio < 0.5 ? '< 0.0001 %' : '> 99.9999 %';
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(telling)));
  const text = (ratio * 100).toFixed(decimals);
  return `${decimals === 0 ? text : text.replace(/\.?0+$/, '')} %`;
}

const MANY = 1_000_000;
const FEW_ODDS = 0.1;

/** Wealth as odds against a healthy canary: e^5.2 is `181`, 1 is as it began. */
export function oddsText(logWealth: number): string {
  const odds = Math.exp(logWealth);
  if (odds > MANY) return `more than ${whole(MANY)}`;
  if (odds < FEW_ODDS) return `less than ${FEW_ODDS}`;
  return timesText(odds);
}

/** The same for a table: `455 : 1`; a dash for what is no wealth. */
export function chanceText(logWealth: number): string {
  return Number.isFinite(logWealth) ? `${oddsText(logWealth)} : 1` : '-';
}

/** A factor with about two digits: `89`, `1.3`, `0.45`, `0.0031`. */
export function timesText(factor: number): string {
  if (factor >= 10) return whole(factor);
  if (factor >= 1) return factor.toFixed(1).replace('.0', '');
  return factor === 0 ? '0' : String(Number(factor.toPrecision(2)));
}

/** `12.3 s`, `205 ms`, `1.5 ms`, `0.25 ms`. */
export function latencyText(us: number): string {
  const ms = us / 1000;
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 100) return `${whole(ms)} ms`;
  return `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}

/** Event time of day, UTC: `12:03:04`. */
export function timeText(at: EpochMs): string {
  return isoText(at).slice(11, 19);
}

/** `2026-01-02 12:03:04 UTC`. */
export function momentText(at: EpochMs): string {
  const iso = isoText(at);
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** No date has a time beyond these. */
const MAX_MS = 8.64e15;

function isoText(at: EpochMs): string {
  if (!(Math.abs(at) <= MAX_MS)) return '----------T--:--:--';
  return new Date(at).toISOString();
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A length of time to plan with, one unit: `40 s`, `12 min`, `5 h`, `3 days`. Changes unit where the smaller one has three digits. */
export function lengthText(ms: DurationMs): string {
  if (ms < 99.5 * SECOND_MS) return `${Math.max(1, Math.round(ms / SECOND_MS))} s`;
  if (ms < 99.5 * MINUTE_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return `${whole(ms / DAY_MS)} days`;
}
