/** Routes for Flagger's webhooks. */
import type { Route } from '../route.ts';

export const flaggerRoutes = {} as const satisfies Record<string, Route>;
