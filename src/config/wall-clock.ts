/** Local time of a zone as an instant. */
import { offsetsAround, shownAt } from '../model/local-time.ts';
import type { EpochMs } from '../model/time.ts';

/**
 * The instant at which clocks of `timeZone` (an IANA name) show the local time that `shownAsUtc` is in UTC. A time that the clocks skip is taken as
 * many minutes after the change as it lies after the skip's begin; of one that they show twice, the first is meant. As RFC 5545, section 3.3.5.
 */
export function instantOf(shownAsUtc: EpochMs, timeZone: string): EpochMs {
  return shownAt(shownAsUtc, timeZone) ?? shownAsUtc - offsetsAround(shownAsUtc, timeZone)[0];
}
