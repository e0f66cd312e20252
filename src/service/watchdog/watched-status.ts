/** The answers of a process, with what its watchdog found in its status. */
import type { ApiHandlers } from '../../api/handlers.ts';
import type { Watchdog } from './watchdog.ts';

/** `watchdog` null: it is switched off. */
export function watchedStatus(handlers: ApiHandlers, watchdog: Pick<Watchdog, 'view'> | null): ApiHandlers {
  if (watchdog === null) return handlers;
  return {
    ...handlers,
    status: async (windowMs, service) => ({ ...(await handlers.status(windowMs, service)), watchdog: watchdog.view }),
  };
}
