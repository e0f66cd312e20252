/** Makes the message that leaves, with an identity that every replica and every restart computes alike. */
import { createHash } from 'node:crypto';
import type { Judgement } from '../model/judgement.ts';
import type { Rollout, Signal, SignalAction, Verdict } from '../model/rollout.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';

/**
 * Identity of a signal: one per rollout generation, policy and action, whatever the evidence. The parts are encoded as a JSON array, so that no
 * choice of ids makes two different signals alike. Without `.`, as Standard Webhooks asks.
 */
export function signalId(rollout: Rollout, action: SignalAction): string {
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

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
