/** What responders work with. */
import type { ApiConfig } from '../config/config.ts';
import type { EpochMs } from '../model/time.ts';
import type { ApiHandlers } from './handlers.ts';

export interface ResponderParts {
  readonly handlers: ApiHandlers;
  readonly config: ApiConfig;
  /** Wall clock. */
  now(): EpochMs;
}
