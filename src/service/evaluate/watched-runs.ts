/** What watches of deploy systems may do with the runs of one of several members: nothing that they see is let pass while this one is cut off. */
import { ELSEWHERE } from '../members/kept.ts';
import type { RunHandlers } from '../rollout-watches.ts';

export interface WatchedRunsParts {
  readonly handlers: RunHandlers;
  /** The service has its cell here, whether or not anybody hears us now. */
  isOurs(service: string): boolean;
  /** The group hears us: before that cells answer nothing. */
  isLive(): boolean;
}

/** A rollout of a service whose cell is here is told again until its cell can take it, or it is here no more: its next owner looks at all there are. */
export function watchedRuns({ handlers, isOurs, isLive }: WatchedRunsParts): RunHandlers {
  return {
    run: (id) => handlers.run(id),
    signal: (id) => handlers.signal(id),
    startRollout: (request) => (isLive() ? handlers.startRollout(request) : ELSEWHERE),
    endRollout: (id, how) => (isLive() ? handlers.endRollout(id, how) : ELSEWHERE),
    isOurs,
  };
}
