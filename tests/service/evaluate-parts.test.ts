/** Parts of a member that judges: nothing is lost while it is cut off from the group, and others come to know what it has. */
import { describe, expect, it } from 'vitest';
import { toldInTheEnd } from '../../src/service/evaluate/told-in-the-end.ts';
import { watchedRuns } from '../../src/service/evaluate/watched-runs.ts';
import { type RunHandlers, rolloutHandlers } from '../../src/service/rollout-watches.ts';
import type { WatchedRollout } from '../../src/watches/watched-rollout.ts';

const ROLLOUT: WatchedRollout = {
  service: 'shop',
  target: { kind: 'Deployment', namespace: 'default', name: 'shop', uid: 'u-1', fence: 'abc' },
  baseline: { 'service.version': '1' },
  canary: { 'service.version': '2' },
  startedAt: 1_800_000_000_000,
  canaryShare: null,
  revision: 2,
};

describe('a rollout that is seen while the group does not hear this member', () => {
  function member(isLive: () => boolean, has: readonly string[]) {
    const done: string[] = [];
    const handlers: RunHandlers = {
      run: () => null,
      signal: () => [],
      startRollout: ({ id }) => {
        done.push(`start ${id}`);
        return { outcome: 'stale_generation', newest: 3 };
      },
      endRollout: (id) => {
        done.push(`end ${id}`);
        return { outcome: 'unknown' };
      },
    };
    return { done, told: rolloutHandlers(watchedRuns({ handlers, isLive, isOurs: (service) => has.includes(service) })) };
  }

  it('begins and ends later, once it is heard again', async () => {
    let isLive = false;
    const { done, told } = member(() => isLive, ['shop']);
    expect([await told.begin(ROLLOUT, 'begun'), await told.end('r', 'over'), done]).toEqual(['later', 'later', []]);
    isLive = true;
    expect([await told.begin(ROLLOUT, 'begun'), await told.end('r', 'over')]).toEqual(['refused', 'done']);
    expect(done).toHaveLength(2);
  });

  it('is left to the member that has its service', async () => {
    const { done, told } = member(() => false, ['cart']);
    expect([await told.begin(ROLLOUT, 'begun'), done]).toEqual(['done', []]);
  });
});

describe('what others must know', () => {
  it.each([
    ['until it was told', 3, 3],
    ['until it is true no more', Number.POSITIVE_INFINITY, 5],
  ])('is told again %s', async (_, succeedsAt, tries) => {
    let tried = 0;
    const failures: unknown[] = [];
    await toldInTheEnd(
      {
        tell: async () => {
          if (++tried < succeedsAt) throw new Error('away');
        },
        isOver: () => tried >= 5,
        onFailure: (error) => failures.push(error),
      },
      1,
    );
    expect([tried, failures.length]).toEqual([tries, Math.min(tries, succeedsAt === 3 ? 2 : 5)]);
  });
});
