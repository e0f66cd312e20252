/** Metrics of services and of analysis runs, read from the engine whenever somebody asks for metrics. */
import { TRAFFIC_BOUNDS_SEC } from '../engine/service-traffic.ts';
import type { Engine } from '../engine.ts';
import type { AnalysisRun } from '../model/rollout.ts';
import { matcherText } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import type { Scraped } from '../telemetry/scraped.ts';
import type { Labels } from '../telemetry/telemetry.ts';

/** A run that is over is shown this long, so that its end is seen by whoever asks seldom. */
const OVER_SHOWN_MS = 3_600_000;
/** Runs that are over and shown, at most: the newest. */
const MAX_OVER = 50;

/** Traffic of every service, then every run in flight, and those that ended within the last hour. */
export function* scrapedCell({ traffic, rollouts }: Pick<Engine, 'traffic' | 'rollouts'>, now: EpochMs): Generator<Scraped> {
  for (const { service, requests, failures, buckets, sumSec } of traffic.all()) {
    const labels = { service };
    yield { metric: 'service_requests_total', labels, value: requests };
    yield { metric: 'service_request_failures_total', labels, value: failures };
    yield { metric: 'service_request_duration_seconds', labels, bounds: TRAFFIC_BOUNDS_SEC, counts: buckets, sum: sumSec };
  }
  const over: AnalysisRun[] = [];
  for (const run of rollouts.all()) {
    const view = run.view();
    if (!run.isOver) yield* scrapedRun(view);
    else if (now - view.verdict.at < OVER_SHOWN_MS) over.push(view);
  }
  for (const view of over.slice(-MAX_OVER)) yield* scrapedRun(view);
}

function* scrapedRun({ rollout, state, verdict, canaryRequests, baselineRequests }: AnalysisRun): Generator<Scraped> {
  const labels: Labels = { service: rollout.service, run: rollout.id };
  const { decision, reason, logWealth, logLimit } = verdict;
  yield { metric: 'analysis_run_info', labels: { ...labels, release: matcherText(rollout.canary), state, decision, reason }, value: 1 };
  yield { metric: 'analysis_run_started_timestamp_seconds', labels, value: rollout.startedAt / 1000 };
  yield { metric: 'analysis_run_requests', labels: { ...labels, arm: 'canary' }, value: canaryRequests };
  yield { metric: 'analysis_run_requests', labels: { ...labels, arm: 'baseline' }, value: baselineRequests };
  const evidence = logWealth / logLimit;
  if (Number.isFinite(evidence)) yield { metric: 'analysis_run_evidence_ratio', labels, value: evidence };
}
