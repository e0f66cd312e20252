/** Answers operators who hold back signals. */
import type { ResponderParts } from './responder-parts.ts';

export function controlResponders(_parts: ResponderParts) {
  return {};
}
