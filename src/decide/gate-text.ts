/** The findings of the deploy gate in words, every share with the integers behind it. */
import type { GateOverride, LoadTestResult } from '../model/gate-view.ts';
import { lengthText, momentText, percent } from '../model/number-text.ts';
import { allowedText, countText, readingText } from '../model/slo-text.ts';
import type { IncidentView, TrendView } from '../model/slo-views.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { GateObjective, GateRun } from './gate-facts.ts';

/** `budget of availability: -12 % left (56 bad of 50 allowed)`. What is allowed is rounded down: of 50.9 the 51st is one too many. */
export function budgetText({ label, bad, allowedBad, budgetRemaining }: GateObjective): string {
  const counts = `${countText(bad)} bad of ${allowedText(allowedBad, bad)} allowed`;
  if (budgetRemaining === null) return `budget of ${label}: unknown, nothing was counted in its window`;
  return `budget of ${label}: ${signedPercent(budgetRemaining)} left (${counts})`;
}

/** As `percent`, below zero too: -0.12 is `-12 %`. What is hardly below zero never reads as zero. */
export function signedPercent(ratio: number): string {
  if (ratio >= 0) return percent(ratio);
  return ratio > -0.000001 ? '< 0 %' : `-${percent(-ratio)}`;
}

export function limitText(limit: number, verb: 'warns' | 'refuses'): string {
  return `the gate ${verb} below ${signedPercent(limit)}`;
}

/** With the tier that fires and what it saw, as far as it is known. */
export function burnText({ label, alert }: GateObjective): string {
  const since = alert.since === null ? '' : ` since ${momentText(alert.since)}`;
  const firing = alert.tiers.find((reading) => reading.isFiring && reading.tier.severity === alert.severity);
  const seen = firing === undefined ? '' : `: ${readingText(firing)}`;
  return `${label} burns its budget, ${alert.severity ?? 'no alert'}${since}${seen}`;
}

export function runText({ id, state, decision, startedAt }: GateRun): string {
  const since = `since ${momentText(startedAt)}`;
  if (state === 'baking') return `rollout ${id} was promoted and is still watched ${since}; the next rollout ends that`;
  return `rollout ${id} is being judged ${since}, its verdict now is ${decision}`;
}

export function rollbackText(at: EpochMs, coolDownMs: DurationMs): string {
  return `the last rollout was rolled back at ${momentText(at)}; the service cools down for ${lengthText(coolDownMs)}, until ${momentText(at + coolDownMs)}`;
}

export function incidentText(label: string, limit: number, { startedAt, endedAt, bad, budgetShare, releases }: IncidentView): string {
  const when = endedAt === null ? `that goes on since ${momentText(startedAt)}` : `from ${momentText(startedAt)} to ${momentText(endedAt)}`;
  const who = releases.length === 0 ? '' : `, most of it by ${releases[0]}`;
  // What was allowed then: the window has moved on since.
  const counts = `${countText(bad)} bad of ${allowedText(bad / budgetShare, bad)} allowed then`;
  return `one incident of ${label} ${when} spent ${percent(budgetShare)} of the budget (${counts}), more than ${percent(limit)}${who}`;
}

export function trendText({ text, endpoint, growthPerDay, reachedAt, days }: TrendView): string {
  const where = endpoint === null ? '' : ` of ${endpoint}`;
  const slope = growthPerDay === null ? '' : `: ${signedPercent(growthPerDay)} a day over ${days.length} days`;
  const reached = reachedAt === null ? '' : `, its capacity is reached at ${momentText(reachedAt)}`;
  return `trend${where} is too steep (${text})${slope}${reached}`;
}

export function loadTestText({ candidate, outcome, at, summary }: LoadTestResult): string {
  const said = { pass: 'passed', fail: 'failed', inconclusive: 'was inconclusive' }[outcome];
  return `load test of ${candidate} ${said} at ${momentText(at)}${summary === '' ? '' : `: ${summary}`}`;
}

export function missingLoadTestText(newest: LoadTestResult | null, maxAgeMs: DurationMs): string {
  const last = newest === null ? 'none was handed in' : `the last one is of ${momentText(newest.at)}`;
  return `a comparison of load tests not older than ${lengthText(maxAgeMs)} is needed, ${last}`;
}

export function staleText(service: string, newestAt: EpochMs, now: EpochMs, staleAfterMs: DurationMs): string {
  return `the newest span of ${service} is of ${momentText(newestAt)}, ${lengthText(now - newestAt)} ago; after ${lengthText(staleAfterMs)} nothing is known of it`;
}

export function overrideText({ by, reason, until }: GateOverride): string {
  return `overridden by ${by} until ${momentText(until)}: ${reason}`;
}
