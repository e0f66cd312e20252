/** Answers pipelines that ask for a verdict. */
import type { ResponderParts } from './responder-parts.ts';

export function verdictResponders(_parts: ResponderParts) {
  return {};
}
