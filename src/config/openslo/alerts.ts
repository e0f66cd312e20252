/** Turns OpenSLO's alert policies into our burn-rate tiers, and names what gets lost on the way. */
import type { Severity } from '../../model/objective.ts';
import { tierObjection, tierOf } from '../../model/tier.ts';
import type { DurationMs } from '../../model/time.ts';
import { parseDurationNs, parsePercent, ratioOfPercent } from '../quantity.ts';
import { ANNOTATION, annotationOf } from './annotations.ts';
import { durationText, percentText } from './native-text.ts';
import { type Place, placeIn, type References } from './references.ts';
import type { AlertConditionSpec, AlertPolicySpec, AlertTargetSpec, OpenSloMetadata, Referred, SloSpec } from './schema.ts';
import { parseShorthand, shorthandMs } from './shorthand.ts';
import type { Critic } from './span-source.ts';

/** As our files have it. */
export interface NativeTier {
  readonly severity: Severity;
  readonly long: string;
  readonly short?: string;
  readonly budget: string;
}

export interface AlertContext {
  readonly references: References;
  readonly critic: Critic;
  readonly windowMs: DurationMs;
  readonly target: number;
}

interface Found<Spec> {
  readonly spec: Spec;
  readonly metadata: OpenSloMetadata | undefined;
  readonly place: Place;
}

/** Name of the target that stands for our own sinks. */
export const OWN_TARGET = 'slipstream';
const SHORTEST_LONG_MS = 600_000;
const MAX_TIERS = 8;
const PAGES = /page|crit|urgent|emerg|high|^(p|sev-?)[01]$/i;
const TICKETS = /ticket|warn|low|medium|minor|info|^(p|sev-?)[2-9]$/i;

/** Empty when there is no policy or none that can be said; only the latter warns. At most as many as our files take. */
export function tiersOf(policies: SloSpec['alertPolicies'], place: Place, context: AlertContext): readonly NativeTier[] {
  const tiers: NativeTier[] = [];
  for (const [index, entry] of (policies ?? []).entries()) {
    const policy = found(entry, 'AlertPolicy', entry.alertPolicyRef, placeIn(place, index), context);
    if (policy === null) continue;
    const tier = tierOfPolicy(policy, context);
    if (tier === null || tiers.some((other) => JSON.stringify(other) === JSON.stringify(tier))) continue;
    if (tiers.length < MAX_TIERS) tiers.push(tier);
    else
      context.critic.warn(policy.place, {
        message: `more than ${MAX_TIERS} alert policies: this one is not taken over`,
        expected: `at most ${MAX_TIERS}`,
      });
  }
  return tiers;
}

function found<Spec>(
  entry: Referred<Spec>,
  kind: 'AlertPolicy' | 'AlertCondition' | 'AlertNotificationTarget',
  name: string | undefined,
  place: Place,
  { references, critic }: AlertContext,
): Found<Spec> | null {
  if (name === undefined)
    return entry.spec === undefined ? null : { spec: entry.spec, metadata: entry.metadata, place: placeIn(place, 'spec') };
  const object = references.find(kind, name);
  if (object !== null)
    return { spec: object.value.spec as Spec, metadata: object.value.metadata, place: { source: object.source, path: ['spec'] } };
  critic.refuse(place, references.unknown(kind, name));
  return null;
}

function tierOfPolicy({ spec, metadata, place }: Found<AlertPolicySpec>, context: AlertContext): NativeTier | null {
  const { critic } = context;
  for (const [index, entry] of spec.notificationTargets.entries()) {
    const target = found<AlertTargetSpec>(
      entry,
      'AlertNotificationTarget',
      entry.targetRef,
      placeIn(place, 'notificationTargets', index),
      context,
    );
    if (target === null || target.spec.target === OWN_TARGET) continue;
    const name = target.metadata?.name ?? entry.targetRef ?? '';
    critic.warn(placeIn(place, 'notificationTargets', index), {
      message: `the notification target \`${name}\` (${target.spec.target}) is not taken over`,
      expected: 'an entry in `sinks` of the process file',
    });
  }
  if (spec.alertWhenNoData === true)
    critic.warn(placeIn(place, 'alertWhenNoData'), {
      message: '`alertWhenNoData` is not taken over: without telemetry an alert stays as it is, and its state says so',
    });
  if (spec.alertWhenBreaching === false) {
    critic.warn(placeIn(place, 'alertWhenBreaching'), {
      message: 'the policy says that it does not alert, so it makes no tier',
      expected: '`alertWhenBreaching: true`',
    });
    return null;
  }
  if (spec.alertWhenBreaching === undefined)
    critic.warn(place, {
      message: '`alertWhenBreaching` is missing, which to the SDK is false; it is taken as true',
      expected: '`alertWhenBreaching: true`',
    });
  const [entry] = spec.conditions;
  if (entry === undefined) return null;
  const condition = found<AlertConditionSpec>(entry, 'AlertCondition', entry.conditionRef, placeIn(place, 'conditions', 0), context);
  return condition === null ? null : tierOfCondition(condition, metadata, context);
}

function tierOfCondition(
  { spec, place }: Found<AlertConditionSpec>,
  policy: OpenSloMetadata | undefined,
  { critic, windowMs, target }: AlertContext,
): NativeTier | null {
  const { op, threshold, lookbackWindow, alertAfter } = spec.condition;
  const at = placeIn(place, 'condition');
  const drop = (field: string, message: string, expected: string): null => {
    critic.warn(placeIn(at, field), { message: `${message}; this makes no tier`, expected });
    return null;
  };
  if (op === 'lte' || op === 'lt')
    return drop('op', `\`op: ${op}\` alerts while the burn rate is low`, '`op: gt`, when exceeding is meant');
  const length = parseShorthand(lookbackWindow);
  const longMs = length === null ? 0 : shorthandMs(length);
  if (longMs < SHORTEST_LONG_MS)
    return drop('lookbackWindow', `a window of \`${lookbackWindow}\` is too short to judge by`, 'at least `10m`');
  if (longMs > windowMs)
    return drop('lookbackWindow', `\`${lookbackWindow}\` is longer than the window of the SLO`, `at most \`${durationText(windowMs)}\``);
  const budget = budgetText(annotationOf(policy, ANNOTATION.budget), (threshold * longMs) / windowMs);
  if (budget === null)
    return drop(
      'threshold',
      `a burn rate of ${threshold} over \`${lookbackWindow}\` is no share of the budget`,
      'a share above 0% and at most 100%',
    );
  const severity = severityOf(spec.severity, placeIn(place, 'severity'), critic);
  const shortMs = shortOf(annotationOf(policy, ANNOTATION.shortWindow), longMs);
  const tier = tierOf({ severity, longMs, shortMs, budgetShare: ratioOfPercent(budget.slice(0, -1)) }, windowMs);
  const objection = tierObjection(tier, target);
  if (objection !== null) return drop('threshold', `it can never fire: ${objection}`, 'a lower threshold, or a longer window');
  if (shortMs === undefined)
    critic.warn(placeIn(at, 'lookbackWindow'), {
      message: `OpenSLO has one window; ours must burn in a short one too (${durationText(tier.shortMs)}), so that the alert ends soon after its cause, and with few bad requests nothing burns`,
      expected: `\`alerts.tiers\` with \`short\` and \`minBad\`, as you want them`,
    });
  if (alertAfter !== undefined && !alertAfter.startsWith('0'))
    critic.warn(placeIn(at, 'alertAfter'), {
      message: `\`alertAfter: ${alertAfter}\` is not taken over: it delays what the windows have shown already`,
      expected: 'none',
    });
  return { severity, long: durationText(longMs), ...(shortMs === undefined ? {} : { short: durationText(shortMs) }), budget };
}

/** The exact one of an export, or what follows from threshold and window. Null for what is no share. */
function budgetText(exact: string | undefined, share: number): string | null {
  if (exact !== undefined && typeof parsePercent(exact) === 'string') {
    const ratio = ratioOfPercent(exact.slice(0, -1));
    // Somebody who edits the threshold means the threshold.
    if (ratio > 0 && ratio <= 1 && Math.abs(ratio / share - 1) < 1e-9) return exact;
  }
  return share > 0 && share <= 1 ? percentText(share) : null;
}

function shortOf(text: string | undefined, longMs: DurationMs): DurationMs | undefined {
  if (text === undefined) return undefined;
  const ns = parseDurationNs(text);
  const ms = typeof ns === 'bigint' ? Number(ns) / 1e6 : 0;
  return ms >= 60_000 && ms < longMs ? ms : undefined;
}

function severityOf(text: string, place: Place, critic: Critic): Severity {
  if (PAGES.test(text)) return 'page';
  if (!TICKETS.test(text)) critic.warn(place, { message: `the severity \`${text}\` is taken as a ticket`, expected: '`page` or `ticket`' });
  return 'ticket';
}
