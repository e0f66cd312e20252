/** Gives the objectives of one service their ids, windows, budgeting and alerts. */
import type { Budgeting, Objective } from '../model/objective.ts';
import { spanText } from '../model/slo-text.ts';
import { type AlertLayer, alertPolicyOf } from './alert-policy.ts';
import { nearestName } from './nearest-name.ts';
import { lintObjectives, type Placed } from './objective-lint.ts';
import type { ObjectiveEntry } from './objective-schema.ts';
import type { Critic, Finding, YamlPath } from './problem.ts';
import type { DefaultsDocument, ServiceDocument } from './slo-schema.ts';
import { type SliceSetting, USUAL_SLICE_MS, USUAL_WINDOW_MS } from './window-schema.ts';

/** `classes` null: unknown, so their objectives are left out. `defaults` undefined: nobody said any. */
export function serviceObjectives(
  document: ServiceDocument,
  defaults: DefaultsDocument['spec'] | undefined,
  classes: ReadonlyMap<string, readonly ObjectiveEntry[]> | null,
  critic: Critic,
): readonly Objective[] {
  const { refuse } = critic;
  const { spec } = document;
  const placed: Placed[] = [];
  const place = (entries: readonly ObjectiveEntry[], match: string | null, pathOf: (at: YamlPath) => YamlPath): void => {
    for (const entry of entries) {
      const { parsed } = entry;
      const path = pathOf(entry.at);
      const { sli, target, text } = parsed;
      if (entry.endpoint !== null && match !== null)
        refuse(path, {
          message: `\`on ${entry.endpoint}\`: the endpoint is said by \`match\` already`,
          expected: 'the promise without `on`, or among the objectives of the service',
        });
      const endpoint = match ?? entry.endpoint;
      const name = entry.name ?? parsed.defaultName;
      const { windowMs, calendar } = entry.window ?? spec.window ?? defaults?.window ?? { windowMs: USUAL_WINDOW_MS, calendar: null };
      const budgeting = budgetingOf(entry, entry.timeslices ?? spec.timeslices ?? defaults?.timeslices);
      const layers: readonly AlertLayer[] = [
        { section: entry.alerts, isOwn: true },
        { section: spec.alerts, isOwn: true },
        { section: defaults?.alerts, isOwn: false },
      ];
      const objective = {
        id: endpoint === null ? `${spec.service}:${name}` : `${spec.service}:${endpoint}:${name}`,
        ...{ name, service: spec.service, endpoint, sli, target, windowMs, calendar, text: `${text}${slicesText(budgeting)}`, budgeting },
      };
      const alerts = alertPolicyOf(layers, objective, path, critic);
      placed.push({ objective: { ...objective, alerts }, path });
    }
  };
  place(spec.objectives ?? [], null, (at) => ['spec', 'objectives', ...at]);
  for (const [position, entry] of (spec.perEndpoint ?? []).entries()) {
    const path = ['spec', 'perEndpoint', position];
    if (entry.objectives !== undefined) place(entry.objectives, entry.match, (at) => [...path, 'objectives', ...at]);
    if (entry.class === undefined || classes === null) continue;
    const members = classes.get(entry.class);
    if (members === undefined)
      refuse([...path, 'class'], unknownName('class', entry.class, [...classes.keys()], '`classes` of `Defaults`'));
    else place(members, entry.match, () => [...path, 'class']);
  }
  lintObjectives(placed, critic);
  return placed.map(({ objective }) => objective);
}

/** The finding for a name that is declared elsewhere, or rather is not. */
export function unknownName(what: string, name: string, known: readonly string[], where: string): Finding {
  const suggestion = nearestName(name, known);
  const expected = known.length === 0 ? `a ${what} declared in ${where}, which has none` : `one of ${known.slice(0, 20).join(', ')}`;
  return { message: `there is no ${what} \`${name}\``, expected, suggestion };
}

function budgetingOf({ parsed }: ObjectiveEntry, slices: SliceSetting | undefined): Budgeting {
  const { kind } = parsed.sli;
  if (kind === 'throughput' || kind === 'inFlight') return { kind: 'timeslices', sliceMs: slices?.sliceMs ?? USUAL_SLICE_MS, ratio: null };
  if (slices === undefined) return { kind: 'occurrences' };
  return { kind: 'timeslices', sliceMs: slices.sliceMs, ratio: slices.ratio ?? parsed.target };
}

/** Tells the same promise about slices of time from the one about requests. */
function slicesText(budgeting: Budgeting): string {
  if (budgeting.kind === 'occurrences' || budgeting.ratio === null) return '';
  if (budgeting.ratio === 'mean') return `, by the mean of slices of ${spanText(budgeting.sliceMs)}`;
  return `, by slices of ${spanText(budgeting.sliceMs)} with ${Number((budgeting.ratio * 100).toPrecision(15))}% good`;
}
