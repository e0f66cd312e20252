/** One line in the log, a count, and a span of the rollout's trace for each change of a verdict. */
import type { Exemplar } from '../model/exemplar.ts';
import { reasonText } from '../model/reason-text.ts';
import type { AnalysisRun } from '../model/rollout.ts';
import { matcherText } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import { decisionTraceId } from '../telemetry/decision-spans.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** Trace ids of requests that a span carries, of each release. */
const MAX_EXEMPLARS = 5;

export function logVerdict(run: AnalysisRun, telemetry: Telemetry, now: EpochMs): void {
  const { verdict, rollout, state, canaryRequests, baselineRequests } = run;
  const { decision, reason, logWealth, logLimit, decidedBy } = verdict;
  const { id, generation, service } = rollout;
  telemetry.add('verdicts_total', 1, { decision, reason });
  telemetry.log.info(
    {
      rollout: id,
      generation,
      service,
      state,
      decision,
      reason,
      why: reasonText(reason),
      at: new Date(verdict.at).toISOString(),
      logWealth,
      logLimit,
      decidedBy,
      canaryRequests,
      baselineRequests,
      trace_id: decisionTraceId(rollout),
    },
    'verdict',
  );
  if (run.history.length === 1) {
    const { origin, policyId } = rollout;
    const releases = { canary: matcherText(rollout.canary), baseline: matcherText(rollout.baseline) };
    telemetry.decided({
      name: 'analysis run',
      rollout,
      startMs: rollout.startedAt,
      endMs: now,
      attributes: { service, origin, policy: policyId, ...releases },
    });
  }
  telemetry.decided({
    name: 'verdict',
    rollout,
    // From the newest evidence to what was concluded of it.
    startMs: Math.min(verdict.at, now),
    endMs: now,
    attributes: {
      service,
      state,
      decision,
      reason,
      'decided.by': decidedBy,
      'evidence.log_wealth': logWealth,
      'evidence.log_limit': logLimit,
      'canary.requests': canaryRequests,
      'baseline.requests': baselineRequests,
      'canary.exemplars': tracesOf(run.exemplars.canary),
      'baseline.exemplars': tracesOf(run.exemplars.baseline),
    },
  });
}

function tracesOf(exemplars: readonly Exemplar[]): readonly string[] {
  return exemplars.slice(0, MAX_EXEMPLARS).map(({ traceId }) => traceId);
}
