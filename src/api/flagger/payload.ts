/** What Flagger posts to its webhooks, and which run it is about. */
import { z } from 'zod';
import type { RolloutTarget } from '../../model/rollout.ts';
import { rolloutIdOf } from '../../model/rollout-name.ts';
import { visible } from '../../model/safe-text.ts';
import type { StartRollout } from '../handlers.ts';

/** Phases in which Flagger moves traffic and asks for a verdict (`CanaryPhase` of Flagger 1.44). */
const ACTIVE_PHASES: ReadonlySet<string> = new Set(['Progressing', 'WaitingPromotion']);

const kubernetesName = z
  .string()
  .regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/, 'must be a name of Kubernetes: small letters, digits, - and .');

/** Fields that later versions add are let pass. */
export const flaggerHook = z.looseObject({
  name: kubernetesName.describe('Of the Canary.'),
  namespace: kubernetesName,
  phase: z.string().max(64).describe('Of the Canary, such as Progressing.'),
  checksum: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be the checksum of the Canary, as Flagger 1.20 and newer send it')
    .describe('Tells this revision of the Canary from others.'),
  metadata: z
    .record(z.string().max(256), z.string().max(16_384))
    .nullish()
    .describe(
      '`token`: that of the API. `service`: default, the name. `attribute`: resource attribute that tells primary and canary apart, default k8s.deployment.name; `canary` and `baseline`: its values, default the name and the name with -primary.',
    ),
});

export type FlaggerHook = z.output<typeof flaggerHook>;

/** True while the Canary is between its first step and its promotion. */
export function isActive({ phase }: Pick<FlaggerHook, 'phase'>): boolean {
  return ACTIVE_PHASES.has(phase);
}

/** `podinfo.test`, as Flagger writes it. */
export function canaryName({ name, namespace }: Pick<FlaggerHook, 'name' | 'namespace'>): string {
  return `${name}.${namespace}`;
}

export function targetOf({ name, namespace, checksum }: FlaggerHook): RolloutTarget {
  return { kind: 'Canary', namespace, name, fence: checksum };
}

export function runIdOf(hook: FlaggerHook): string {
  return rolloutIdOf(targetOf(hook));
}

const MAX_VALUE_CHARS = 1024;

export type Wish =
  | { readonly ok: true; readonly value: Omit<StartRollout, 'generation'> }
  | { readonly ok: false; readonly detail: string };

/** The rollout that a hook speaks of. Metadata that cannot be meant is told of rather than replaced. */
export function wishOf(hook: FlaggerHook): Wish {
  const { name } = hook;
  const given = hook.metadata ?? {};
  const { service = name, attribute = 'k8s.deployment.name', canary = name, baseline = `${name}-primary` } = given;
  for (const [key, text] of Object.entries({ service, attribute, canary, baseline })) {
    if (text === '' || text.length > MAX_VALUE_CHARS)
      return { ok: false, detail: `metadata.${key}: must be 1 to ${MAX_VALUE_CHARS} characters` };
  }
  if (canary === baseline)
    return { ok: false, detail: `metadata.canary: selects the same release as metadata.baseline: ${visible(canary)}` };
  if (attribute === '__proto__') return { ok: false, detail: 'metadata.attribute: no attribute has this name' };
  const times = { startedAt: null, deadline: null, canaryShare: null };
  const matchers = { baseline: { [attribute]: baseline }, canary: { [attribute]: canary } };
  return { ok: true, value: { id: runIdOf(hook), service, origin: 'api', target: targetOf(hook), ...matchers, ...times } };
}

/** `Advance podinfo.test canary weight 10`: percent of the traffic, as Flagger 1.44 says in its event; null for other events. */
export function weightTold(hook: FlaggerHook): number | null {
  const message = hook.metadata?.eventMessage ?? '';
  const told = /^Advance (\S+) canary weight (\d{1,3})$/.exec(message);
  if (told === null || told[1] !== canaryName(hook)) return null;
  const weight = Number(told[2]);
  return weight <= 100 ? weight : null;
}
