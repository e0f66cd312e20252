/** Which series of a service a rule is about. */
import { endpointMatches } from '../model/endpoint-pattern.ts';
import type { SeriesInfo } from '../model/series.ts';

/** Ids of those whose endpoint is meant, of all releases; null means every endpoint. */
export function seriesMeant(
  { service, endpoint }: { readonly service: string; readonly endpoint: string | null },
  book: { of(service: string): readonly SeriesInfo[] },
): number[] {
  return book
    .of(service)
    .filter((info) => endpoint === null || endpointMatches(endpoint, info.endpoint))
    .map((info) => info.id);
}
