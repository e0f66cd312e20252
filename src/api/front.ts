/** What may stand before the answers of the API: it answers in their place, or asks them. */
import type { RouteId } from './routes.ts';

/** A request that was let in: its token and its kind of body were looked at, its fields not yet. */
export interface Asked {
  readonly route: RouteId;
  readonly request: Request;
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** `here` answers a request of the same route from this process. It must not throw. */
export type Front = (asked: Asked, here: (request: Request) => Promise<Response>) => Promise<Response>;
