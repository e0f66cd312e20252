/** A cell as those see it who bring requests to it. */
import type { ApiHandlers } from '../../api/handlers.ts';

export interface RoutedCell {
  readonly handlers: ApiHandlers;
  /** Resolves once all that was written until now is durable; rejects when it never will be. Null: it is. */
  durable(): Promise<void> | null;
}
