/** The id of an execution carries all that is needed to answer for it, so that any replica can, and after every restart. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ApiConfig } from '../../config/config.ts';
import { type ScoreThresholds, thresholdsFault } from '../../model/score-thresholds.ts';
import type { EpochMs } from '../../model/time.ts';

export interface Execution {
  readonly runId: string;
  readonly generation: number;
  readonly thresholds: ScoreThresholds;
  /** When an answer is due, whatever is known by then, to the second; null: when the run is over. */
  readonly end: EpochMs | null;
}

/**
 * `95.75.3.1795262400.5f0c….kayenta-2b…`: pass, marginal, generation, end in seconds or 0, a seal, and the run. The seal shows that we gave the id away: who
 * knows it may cancel, since callers of Kayenta can send no token then.
 */
export function executionId(execution: Execution, config: Pick<ApiConfig, 'token'>): string {
  const head = headOf(execution);
  return [head, seal(head, execution.runId, config), execution.runId].join('.');
}

/** Null when it is none of ours in form; `isSealed` when we gave it away. */
export function parsedExecutionId(
  id: string,
  config: Pick<ApiConfig, 'token'>,
): { readonly execution: Execution; readonly isSealed: boolean } | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,15})\.(\d{1,12})\.([0-9a-f]{32})\.([A-Za-z0-9][A-Za-z0-9._:~-]{0,255})$/.exec(id);
  if (match === null) return null;
  const [pass, marginal, generation, endSec] = match.slice(1, 5).map(Number) as [number, number, number, number];
  const [given, runId] = match.slice(5) as [string, string];
  const thresholds = { pass, marginal };
  if (thresholdsFault(thresholds) !== null) return null;
  const execution = { runId, generation, thresholds, end: endSec === 0 ? null : endSec * 1000 };
  const expected = seal(headOf(execution), runId, config);
  return { execution, isSealed: timingSafeEqual(Buffer.from(given), Buffer.from(expected)) };
}

function headOf({ generation, thresholds, end }: Execution): string {
  return [thresholds.pass, thresholds.marginal, generation, end === null ? 0 : Math.ceil(end / 1000)].join('.');
}

function seal(head: string, runId: string, config: Pick<ApiConfig, 'token'>): string {
  const key = `slipstream kayenta ${config.token?.reveal() ?? ''}`;
  return createHmac('sha256', key).update(`${head}.${runId}`).digest('hex').slice(0, 32);
}
