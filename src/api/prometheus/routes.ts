/** Routes for what speaks to Prometheus. */
import type { Route } from '../route.ts';

export const prometheusRoutes = {} as const satisfies Record<string, Route>;
