/** Whether a service's telemetry can be trusted now, without which an alert neither heals nor worsens. */
import type { DurationMs, EpochMs } from '../../model/time.ts';

export interface TelemetryHealth {
  /** `silent`: heard no more; `unknown`: heard, but what came before is lost, or the clock has jumped. */
  readonly state: 'ok' | 'silent' | 'unknown';
  /** Newest event time of the service; null when it was never heard. */
  readonly heardAt: EpochMs | null;
}

/** A service that is this far behind the newest event of all, or behind now, is silent: twice an exporter's slowest usual interval, and then some. */
export const SILENCE_MS: DurationMs = 2 * 60_000;

/** As far ahead as a span's clock may be configured to run. Events that are further ahead were heard before the wall clock was set back. */
const MOST_AHEAD_MS: DurationMs = 10 * 60_000;

/**
 * True when the wall clock was set back behind what was heard: what is heard now comes too late for its slots until the clock is there again, and windows
 * that end now see the past.
 */
export function isAhead(newestAt: EpochMs | null, now: EpochMs): boolean {
  return newestAt !== null && newestAt - now > MOST_AHEAD_MS;
}

/**
 * `newestAt` is the service's newest event time, `streamAt` the newest of all services or the wall clock, whichever is later. A service without traffic
 * looks just like one whose telemetry is lost, so it counts as silent: what it last said stands.
 */
export function telemetryHealth({
  newestAt,
  streamAt,
  isKnown,
}: {
  newestAt: EpochMs | null;
  streamAt: EpochMs;
  isKnown: boolean;
}): TelemetryHealth {
  if (newestAt === null || streamAt - newestAt > SILENCE_MS) return { state: 'silent', heardAt: newestAt };
  return { state: isKnown && !isAhead(newestAt, streamAt) ? 'ok' : 'unknown', heardAt: newestAt };
}
