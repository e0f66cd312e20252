/** Names the rollout of an object in a deploy system. */
import type { RolloutTarget } from './rollout.ts';

/** `rollout~shop~checkout~7c9f`: the same on every replica and after every restart; no part can hold a `~`. */
export function rolloutIdOf({ kind, namespace, name, fence }: RolloutTarget): string {
  return [kind.toLowerCase(), namespace, name, fence].join('~');
}
