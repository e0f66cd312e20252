/** What members that share the work need besides: to be in their group, to get what is theirs, and to hand over what they counted. */
import type { DurationMs } from '../../model/time.ts';
import type { Clock } from '../clock.ts';
import { type Finding, seconds, type WatchdogCheck } from './finding.ts';
import { Lasting } from './lasting.ts';

/** A group finds together anew within a few times the session timeout. */
const GROUP_LIMIT_MS: DurationMs = 45_000;
/** State of a partition is read back within seconds; an owner that is gone is fenced first. */
const TAKE_OVER_LIMIT_MS: DurationMs = 90_000;
/** Counts that could not be handed over are counted anew after 5 s at most, a transaction that is stuck ends after a minute. */
const COMMIT_LIMIT_MS: DurationMs = 75_000;
const TICK_LIMIT_MS: DurationMs = 10_000;

type MonotonicClock = Pick<Clock, 'monotonicMs'>;

export interface GroupParts {
  isLive(): boolean;
  /** Partitions that are ours and wait to be taken over. */
  pending(): number;
  readonly clock: MonotonicClock;
}

export function groupCheck({ isLive, pending, clock }: GroupParts): WatchdogCheck {
  const silent = new Lasting(GROUP_LIMIT_MS, clock);
  const waiting = new Lasting(TAKE_OVER_LIMIT_MS, clock);
  return checkOf('group', () => {
    const silentMs = silent.tooLongMs(!isLive());
    const waitingMs = waiting.tooLongMs(pending() > 0);
    if (silentMs !== null) return `it should answer, and has not for ${seconds(silentMs)}`;
    return waitingMs === null ? null : `partitions (${pending()}) should be taken over, and some have waited for ${seconds(waitingMs)}`;
  });
}

export interface CommitParts {
  /** Sources whose counts cannot be handed over now. */
  broken(): readonly string[];
  /** How long the oldest transaction has been under way; 0: none is. */
  oldestCommitMs(): DurationMs;
  /** By the monotonic clock: when what is due was looked at last. */
  tickedMs(): DurationMs;
  readonly clock: MonotonicClock;
}

export function commitCheck({ broken, oldestCommitMs, tickedMs, clock }: CommitParts): WatchdogCheck {
  const failing = new Lasting(COMMIT_LIMIT_MS, clock);
  return checkOf('commits', () => {
    const sources = broken();
    const failingMs = failing.tooLongMs(sources.length > 0);
    const tickAgeMs = clock.monotonicMs() - tickedMs();
    const commitMs = oldestCommitMs();
    if (tickAgeMs > TICK_LIMIT_MS) return `counts should be handed over every second, and nobody has looked for ${seconds(tickAgeMs)}`;
    if (failingMs !== null) return `counts of ${sources[0]} should be handed over, and have not been for ${seconds(failingMs)}`;
    return commitMs > COMMIT_LIMIT_MS ? `counts should be handed over, and a transaction has taken ${seconds(commitMs)}` : null;
  });
}

function checkOf(part: Finding['part'], fault: () => string | null): WatchdogCheck {
  return { part, look: () => [{ part, fault: fault() }] };
}
