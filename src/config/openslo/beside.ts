/** Lets OpenSLO files lie among our own: what they promise becomes documents like ours, or fills those of ours that promise nothing. */
import type { Problem } from '../problem.ts';
import type { SourceDocument } from '../yaml-source.ts';
import { type ImportedDocument, type NativeDocument, openSloDocuments } from './import.ts';
import { isSection } from './leniency.ts';
import { isOpenSlo } from './objects.ts';
import type { NativeEntry } from './slo-entries.ts';

export interface LoadedBeside {
  /** Ours, and those made of OpenSLO. */
  readonly documents: readonly SourceDocument[];
  /** Everything that OpenSLO promises there and that is not going to be kept: it is refused rather than passed over. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Read leniently. A document of ours about the same service, without objectives of its own, gives it its canary policy, gate and exclusions; with
 * objectives of its own there are two documents about the service, which is refused as ever.
 */
export function withOpenSlo(sources: readonly SourceDocument[]): LoadedBeside {
  const foreign = sources.filter(({ value }) => isOpenSlo(value));
  if (foreign.length === 0) return { documents: sources, problems: [], warnings: [] };
  const { documents: imported, problems, unsupported, warnings } = openSloDocuments(foreign, 'lenient');
  const documents = sources.filter(({ value }) => !isOpenSlo(value));
  for (const document of imported) {
    const index = documents.findIndex(({ value }) => promisesNothing(value, document.value.spec.service));
    const own = documents[index];
    if (own === undefined) documents.push(document);
    else documents[index] = filled(own, document);
  }
  return { documents, problems: [...problems, ...unsupported], warnings };
}

function promisesNothing(value: unknown, service: string): boolean {
  if (!isSection(value) || value.kind !== 'ServiceObjectives' || !isSection(value.spec)) return false;
  return value.spec.service === service && value.spec.objectives === undefined && value.spec.perEndpoint === undefined;
}

function filled(own: SourceDocument, imported: ImportedDocument): SourceDocument {
  const { spec } = own.value as NativeDocument;
  const { window, objectives, perEndpoint } = imported.value.spec;
  // The window of the document of ours is for what it promises itself, which is nothing.
  const timed = (entry: NativeEntry): NativeEntry => (window === undefined ? entry : { ...entry, window });
  const promised = {
    ...(objectives === undefined ? {} : { objectives: objectives.map(timed) }),
    ...(perEndpoint === undefined
      ? {}
      : { perEndpoint: perEndpoint.map((entry) => ({ ...entry, objectives: entry.objectives.map(timed) })) }),
  };
  return {
    file: own.file,
    value: { ...(own.value as object), spec: { ...spec, ...promised } },
    problem: (path, finding, at) => (path[0] === 'spec' && String(path[1]) in promised ? imported : own).problem(path, finding, at),
  };
}
