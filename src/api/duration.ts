/** Lengths of time in requests and options, written as in the configuration: `250ms`, `60s`, `1h30m`. */
import { Complaint, parseDurationNs } from '../config/quantity.ts';
import type { DurationMs } from '../model/time.ts';

/** Null when `text` is no duration. */
export function durationMs(text: string): DurationMs | null {
  const ns = parseDurationNs(text);
  return ns instanceof Complaint ? null : Number(ns) / 1e6;
}
