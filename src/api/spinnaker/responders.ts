/** Answers Spinnaker's deployment monitor and webhook stage. */
import type { ResponderParts } from '../responder-parts.ts';

export function spinnakerResponders(_parts: ResponderParts) {
  return {};
}
