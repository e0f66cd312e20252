/** Makes the message that leaves, with an identity that every replica and every restart computes alike. */
import { createHash } from 'node:crypto';
import type { Judgement } from '../model/judgement.ts';
import type { Rollout, Signal, SignalAction, Verdict } from '../model/rollout.ts';
import { visible } from '../model/safe-text.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

/** Characters kept of what a deploy system says. */
const MAX_SHOWN = 300;

/**
 * Identity of a signal: one per rollout generation, policy and action, whatever the evidence. The parts are encoded as a JSON array, so that no
 * choice of ids makes two different signals alike. Without `.`, as Standard Webhooks asks.
 */
export function signalId(rollout: Pick<Rollout, 'id' | 'generation' | 'policyId'> & Partial<Rollout>, action: SignalAction): string {
  return `sig_${digest([rollout.id, rollout.generation, rollout.policyId, action]).slice(0, 40)}`;
}

/** sha256 (hex) of the judgements as plain JSON: lets a reader check that the evidence shown is the evidence that decided. */
export function evidenceDigest(judgements: readonly Judgement[]): string {
  return digest(judgements);
}

export function signalOf(input: {
  readonly rollout: Rollout;
  readonly action: SignalAction;
  readonly verdict: Verdict;
  readonly judgements: readonly Judgement[];
  readonly summary: string;
  /** When its time to live begins. */
  readonly sayableFrom: EpochMs;
  readonly ttlMs: DurationMs;
  readonly sinks: readonly string[];
}): Signal {
  const { rollout, action, verdict } = input;
  return {
    id: signalId(rollout, action),
    rolloutId: rollout.id,
    generation: rollout.generation,
    policyId: rollout.policyId,
    service: rollout.service,
    action,
    reason: verdict.reason,
    target: rollout.target,
    summary: input.summary,
    link: null,
    evidenceDigest: evidenceDigest(input.judgements),
    evidenceAt: verdict.at,
    notAfter: input.sayableFrom + input.ttlMs,
    sinks: input.sinks,
  };
}

/**
 * Tells that a rollback was seen to be done: its id follows from the one that asked for it, and it may be told for as long as that one might have been acted upon.
 * `seen` is in the words of the deploy system, `now` the wall clock.
 */
export function rolledBackSignal(
  asked: Signal,
  seen: { readonly rolledBackTo?: string; readonly detail: string },
  sinks: readonly string[],
  now: EpochMs,
): Signal {
  const { rolloutId, generation, policyId, target, service } = asked;
  const { toldAfter: _, ...signal } = asked;
  const name = target === null ? `${service} (${rolloutId})` : `${target.kind} ${target.namespace}/${target.name}`;
  const to = seen.rolledBackTo === undefined ? '' : ` to ${shown(seen.rolledBackTo)}`;
  return {
    ...signal,
    id: signalId({ id: rolloutId, generation, policyId }, 'rolled_back'),
    action: 'rolled_back',
    summary: `${name} was rolled back${to}: ${shown(seen.detail)}`,
    ...(seen.rolledBackTo === undefined ? {} : { rolledBackTo: seen.rolledBackTo.slice(0, MAX_SHOWN) }),
    notAfter: now + asked.notAfter - asked.evidenceAt,
    sinks,
  };
}

function shown(text: string): string {
  return visible(text).slice(0, MAX_SHOWN);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
