/** Moments and steps as clients of Prometheus send them. */
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { durationLiteral } from './literals.ts';
import { QueryError } from './query-error.ts';

/** Of one series in one answer, as Prometheus has it. */
const MAX_STEPS = 11_000;
/** Of one query. */
export const TIMEOUT_MS: DurationMs = 10_000;
/** No clock shows a time beyond this. */
const MAX_MS = 8.64e15;

export interface Steps {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  readonly stepMs: DurationMs;
}

/** Throws a QueryError. */
export function timeOf(name: string, text: string): EpochMs {
  const at = /^-?\d+(\.\d+)?(e\+?\d+)?$/i.test(text)
    ? Number(text) * 1000
    : /^\d{4}-\d{2}-\d{2}T/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  if (Number.isFinite(at) && Math.abs(at) <= MAX_MS) return Math.round(at);
  throw new QueryError('bad_data', `invalid parameter "${name}": cannot parse ${JSON.stringify(text.slice(0, 100))} to a valid timestamp`);
}

/** Throws a QueryError. */
export function stepsOf(start: string, end: string, step: string): Steps {
  const [fromMs, toMs] = [timeOf('start', start), timeOf('end', end)];
  if (toMs < fromMs) throw new QueryError('bad_data', 'invalid parameter "end": end timestamp must not be before start time');
  const stepMs = durationOf('step', step);
  if (!(stepMs > 0)) {
    throw new QueryError(
      'bad_data',
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    );
  }
  if ((toMs - fromMs) / stepMs > MAX_STEPS) {
    throw new QueryError(
      'bad_data',
      'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
    );
  }
  return { fromMs, toMs, stepMs };
}

/** How long the query may take; what asks for more gets less. */
export function timeoutOf(text: string | null): DurationMs {
  return text === null ? TIMEOUT_MS : Math.max(0, Math.min(TIMEOUT_MS, durationOf('timeout', text)));
}

function durationOf(name: string, text: string): DurationMs {
  const ms = durationLiteral(text.trim());
  if (ms !== null) return ms;
  throw new QueryError('bad_data', `invalid parameter "${name}": cannot parse ${JSON.stringify(text.slice(0, 100))} to a valid duration`);
}
