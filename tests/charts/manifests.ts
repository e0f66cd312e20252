/** Manifests as Helm reads them, and what tests ask of them. */
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: a manifest is whatever the templates made; the schemas of Kubernetes judge it.
  readonly [key: string]: any;
}

/**
 * YAML 1.1, so that an unquoted `on`, `no`, `y` or `0777` is no string, as on the way to an API server; times stay strings. A key that is there
 * twice is an error.
 */
export function manifestsOf(text: string): readonly Manifest[] {
  const documents = parseAllDocuments(text, {
    version: '1.1',
    merge: true,
    customTags: (tags) =>
      tags.filter(
        (tag) => typeof tag === 'string' || (tag.tag !== 'tag:yaml.org,2002:timestamp' && !('format' in tag && tag.format === 'TIME')),
      ),
  });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}

/** `Kind/name`. */
export function titleOf({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.name}`;
}

export function ofKind(manifests: readonly Manifest[], kind: string): readonly Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind);
}

/** The one object of that kind and name. Throws when there is none. */
export function objectOf(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind}/${name} among ${manifests.map(titleOf).join(', ')}`);
  return found;
}

const WORKLOADS = ['Deployment', 'StatefulSet'];

/** What runs for long: not the pod of `helm test`. */
export function workloadsOf(manifests: readonly Manifest[]): readonly Manifest[] {
  return manifests.filter(({ kind }) => WORKLOADS.includes(kind));
}

/** A random token is another at each rendering: its letters become `x`. */
export function withoutChance(manifest: Manifest): Manifest {
  if (manifest.kind !== 'Secret') return manifest;
  return {
    ...manifest,
    data: Object.fromEntries(Object.entries(manifest.data ?? {}).map(([key, value]) => [key, String(value).replace(/[^=]/g, 'x')])),
  };
}
