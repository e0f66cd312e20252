/** Answers Flagger's webhooks. */
import type { ResponderParts } from '../responder-parts.ts';

export function flaggerResponders(_parts: ResponderParts) {
  return {};
}
