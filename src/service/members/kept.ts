/** Whether a change of a cell will outlive its member, and what a caller is told whose cell is elsewhere. */
import type { Unavailable } from '../../api/unavailable.ts';
import { within } from '../../kafka/time-limit.ts';
import type { DurationMs } from '../../model/time.ts';
import type { RoutedCell } from './routed-cell.ts';

/** Callers are answered before their own time limits, which are rarely below this. */
const KEPT_MS: DurationMs = 8_000;

export const ELSEWHERE: Unavailable = {
  outcome: 'unavailable',
  detail: 'the service is with another member, or on its way to one',
  retryAfterMs: 2_000,
};

/** True once all that the cell wrote is durable; false when that takes too long, or when the cell has lost its partition. */
export async function kept(cell: Pick<RoutedCell, 'durable'>): Promise<boolean> {
  const durable = cell.durable();
  if (durable === null) return true;
  return within(durable, KEPT_MS).then(
    () => true,
    () => false,
  );
}
