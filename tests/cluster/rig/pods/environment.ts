/** The environment and the command of a container, from what its pod says. */
import type { Cluster } from '../cluster.ts';
import { type Container, type EnvVar, fieldOf, type PodObject } from './pod-object.ts';
import { contentsOf, NotThereYet } from './volumes.ts';

const DIVISORS: Readonly<Record<string, number>> = { '1': 1, '1Ki': 2 ** 10, '1Mi': 2 ** 20, '1Gi': 2 ** 30, '1m': 0.001 };

export interface EnvironmentParts {
  readonly cluster: Cluster;
  readonly pod: PodObject;
  readonly container: Container;
  readonly address: string;
  /** Of the image and of the cluster, before what the container says. */
  readonly before: Readonly<Record<string, string>>;
}

/** Throws NotThereYet while a ConfigMap or Secret is missing. */
export async function environmentOf({ cluster, pod, container, address, before }: EnvironmentParts): Promise<Record<string, string>> {
  const { namespace } = pod.metadata;
  const env: Record<string, string> = { ...before };
  for (const { prefix = '', secretRef, configMapRef } of container.envFrom ?? []) {
    const ref = secretRef ?? configMapRef;
    if (ref === undefined) continue;
    const kind = secretRef === undefined ? 'configmaps' : 'secrets';
    for (const [key, value] of await contentsOf(cluster, namespace, kind, ref.name, ref.optional)) env[prefix + key] = value.toString();
  }
  for (const entry of container.env ?? []) {
    const value = await valueFor(entry, { cluster, pod, container, address });
    if (value !== null) env[entry.name] = expanded(value, env);
  }
  return env;
}

/** With `$(NAME)` replaced where NAME is known; `$$(NAME)` is `$(NAME)`. */
export function expanded(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/g, (whole, name?: string) => (whole === '$$' ? '$' : (env[name ?? ''] ?? whole)));
}

async function valueFor(
  { name, value = '', valueFrom }: EnvVar,
  { cluster, pod, container, address }: Omit<EnvironmentParts, 'before'>,
): Promise<string | null> {
  if (valueFrom === undefined) return value;
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  if (fieldRef !== undefined) return fieldOf(pod, fieldRef.fieldPath, address);
  if (resourceFieldRef !== undefined) {
    const [part, resource] = resourceFieldRef.resource.split('.') as ['limits' | 'requests', string];
    const amount = quantity(container.resources?.[part]?.[resource] ?? '0');
    return String(Math.ceil(amount / quantity(resourceFieldRef.divisor === '0' ? '1' : (resourceFieldRef.divisor ?? '1'))));
  }
  const ref = secretKeyRef ?? configMapKeyRef;
  if (ref === undefined) throw new Error(`the variable ${name} comes from what is not known to the runner of pods`);
  const kind = secretKeyRef === undefined ? 'configmaps' : 'secrets';
  const content = (await contentsOf(cluster, pod.metadata.namespace, kind, ref.name, ref.optional)).get(ref.key);
  if (content === undefined && ref.optional !== true) throw new NotThereYet(`${kind} ${ref.name} has no key ${ref.key}`);
  return content?.toString() ?? null;
}

/** Bytes or cores: `768Mi`, `250m`, `2`. */
export function quantity(text: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)(\D*)$/.exec(text) ?? [];
  const factor = DIVISORS[`1${unit}`];
  if (factor === undefined) throw new Error(`the quantity ${text} is not known to the runner of pods`);
  return Number(number) * factor;
}
