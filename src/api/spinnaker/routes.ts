/** Routes for Spinnaker's deployment monitor and webhook stage. */
import type { Route } from '../route.ts';

export const spinnakerRoutes = {} as const satisfies Record<string, Route>;
