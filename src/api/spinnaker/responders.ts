/** Answers Spinnaker's deployment monitor and webhook stage. */
import type { ResponderParts } from '../responder-parts.ts';
import { analysisResponders } from './analysis-responders.ts';
import { monitorResponders } from './monitor-responders.ts';

export function spinnakerResponders(parts: ResponderParts) {
  return { ...monitorResponders(parts), ...analysisResponders(parts) };
}
