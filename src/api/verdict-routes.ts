/** Routes for pipelines that ask for a verdict. */
import type { Route } from './route.ts';

export const verdictRoutes = {} as const satisfies Record<string, Route>;
