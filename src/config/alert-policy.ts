/** Merges what an objective, its service and `Defaults` say about alerts, and tells tiers that can never fire. */
import type { AlertPolicy, Objective, Tier } from '../model/objective.ts';
import { spanText } from '../model/slo-text.ts';
import { googleTiers, tierObjection, tierOf } from '../model/tier.ts';
import { ALERT_DEFAULTS, type AlertSection } from './alert-schema.ts';
import type { Critic, YamlPath } from './problem.ts';

export interface AlertLayer {
  readonly section: AlertSection | undefined;
  /** Written for this service: what can never fire there is a mistake. `Defaults` are written for all. */
  readonly isOwn: boolean;
}

/** Layers from the most special to the most general; `path` is that of the objective. */
export function alertPolicyOf(
  layers: readonly AlertLayer[],
  { name, target, windowMs, budgeting }: Pick<Objective, 'name' | 'target' | 'windowMs' | 'budgeting'>,
  path: YamlPath,
  { refuse, warn }: Critic,
): AlertPolicy {
  const speaking = layers.find(({ section }) => section?.tiers !== undefined || section?.preset !== undefined);
  const written = speaking?.section?.tiers;
  const preset = speaking?.section?.preset ?? ALERT_DEFAULTS.preset;
  const all: readonly Tier[] =
    written === undefined
      ? preset === 'none'
        ? []
        : googleTiers(windowMs)
      : written.map(({ severity, long, short, budget }) =>
          tierOf({ severity, longMs: long, shortMs: short, budgetShare: budget }, windowMs),
        );
  const first = <K extends 'basis' | 'minBad'>(option: K): NonNullable<AlertSection[K]> | undefined =>
    layers.map(({ section }) => section?.[option]).find((value) => value !== undefined) as NonNullable<AlertSection[K]> | undefined;
  const slicesIn = ({ longMs }: Tier) =>
    budgeting.kind === 'timeslices' ? Math.floor(longMs / budgeting.sliceMs) : Number.POSITIVE_INFINITY;
  const burnObjection = (tier: Tier): string | null =>
    tier.longMs > windowMs ? 'its long window is longer than that of the objective' : tierObjection(tier, target);
  // Of slices there are only so many: unless somebody says else, half of those in the shortest long window are enough. Of means the parts of one are: 2 % bad
  // in each minute of an hour are 1.2 slices.
  const halves = all.filter((tier) => burnObjection(tier) === null).map((tier) => Math.floor(slicesIn(tier) / 2));
  const isMean = budgeting.kind === 'timeslices' && budgeting.ratio === 'mean';
  const minBad = first('minBad') ?? (isMean ? 1 : Math.max(1, Math.min(ALERT_DEFAULTS.minBad, ...halves)));
  const floorObjection = (tier: Tier): string | null =>
    Math.max(1, slicesIn(tier)) < minBad ? `its long window has ${slicesIn(tier)} slices, and \`minBad\` asks for ${minBad}` : null;
  const tiers: Tier[] = [];
  const idle: string[] = [];
  for (const tier of all) {
    const objection = burnObjection(tier) ?? floorObjection(tier);
    if (objection === null) tiers.push(tier);
    else if (written !== undefined && speaking?.isOwn === true) {
      const message = `\`${name}\`: the tier of ${budgetText(tier)} can never fire: ${objection}`;
      refuse(path, { message, expected: 'a longer window, a smaller share of the budget, or `alerts` of its own' });
    } else idle.push(budgetText(tier));
  }
  if (idle.length > 0)
    warn(path, {
      message: `\`${name}\` does without the alerts of ${idle.join(' and ')}: even a total outage burns too slowly for them${budgeting.kind === 'timeslices' ? ', or has too few slices' : ''}`,
      expected: 'own `tiers`, or `preset: none`',
    });
  return {
    // The fastest comes first.
    tiers: tiers.sort((a, b) => a.longMs - b.longMs || b.burnRate - a.burnRate),
    basis: first('basis') ?? ALERT_DEFAULTS.basis,
    minBad,
  };
}

/** `2% in 1h`. */
function budgetText({ budgetShare, longMs }: Tier): string {
  return `${Number((budgetShare * 100).toPrecision(12))}% in ${spanText(longMs)}`;
}
