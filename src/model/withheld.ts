/** Holds that stand in the place of a rollback. */
import type { Reason } from './judgement.ts';
import type { Signal } from './rollout.ts';

const WITHHELD_FOR: ReadonlySet<Reason> = new Set(['cool_down', 'breaker_open', 'common_cause']);

/** True when the harm is proven and only the guard keeps the rollback back: a bad release serves on until a person acts. */
export function isWithheld({ action, reason }: Pick<Signal, 'action' | 'reason'>): boolean {
  return action === 'hold' && WITHHELD_FOR.has(reason);
}
