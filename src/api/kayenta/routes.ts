/** Routes for what speaks to Kayenta. */
import type { Route } from '../route.ts';

export const kayentaRoutes = {} as const satisfies Record<string, Route>;
