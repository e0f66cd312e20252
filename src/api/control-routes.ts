/** Routes for operators who hold back signals. */
import type { Route } from './route.ts';

export const controlRoutes = {} as const satisfies Record<string, Route>;
