/** Answers for the cells of this member as one process that has them all does: by service, by who knows the id, or from all of them. */
import type { ApiHandlers } from '../../api/handlers.ts';
import type { Directory } from './directory.ts';

export interface RoutedCell {
  readonly handlers: ApiHandlers;
  /** Resolves once all that was written until now is durable; rejects when it never will be. Null: it is. */
  durable(): Promise<void> | null;
}

export interface RoutedParts {
  /** The cells that are ready now, by partition; looked at for each request. */
  cells(): ReadonlyMap<number, RoutedCell>;
  readonly directory: Pick<Directory, 'partitionOf'>;
  readonly version: string;
  releaseBy(): readonly string[];
  readonly kayenta: Pick<ApiHandlers, 'judgeSeries'>;
  readiness: ApiHandlers['readiness'];
  metrics: ApiHandlers['metrics'];
  readonly monotonicMs: () => number;
  /** Over all members, where there is such a thing. */
  readonly permits: { rollbacksLastHour(): number; reset(by: string): Promise<void> };
  readonly maxRollbacksPerHour: () => number;
}

export function routedHandlers(parts: RoutedParts): ApiHandlers {
  const [cell] = parts.cells().values();
  if (cell === undefined) throw new Error('not there yet');
  return cell.handlers;
}
