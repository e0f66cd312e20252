/** Answers what speaks to Prometheus. */
import type { ResponderParts } from '../responder-parts.ts';

export function prometheusResponders(_parts: ResponderParts) {
  return {};
}
