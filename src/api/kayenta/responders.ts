/** Answers what speaks to Kayenta. */
import type { ResponderParts } from '../responder-parts.ts';

export function kayentaResponders(_parts: ResponderParts) {
  return {};
}
