/** Turns OpenSLO objects into our own documents, one per service, whose problems are told at their places in the OpenSLO files. */

import { type Finding, type Problem, pathText, type YamlPath } from '../problem.ts';
import { API_VERSION } from '../slo-schema.ts';
import type { SourceDocument } from '../yaml-source.ts';
import { ANNOTATION, annotationOf } from './annotations.ts';
import { type AnyPlaced, openSloObjects, type Placed } from './objects.ts';
import { type Place, placeIn, problemOf, References } from './references.ts';
import type { OpenSloMode } from './schema.ts';
import { type ConvertedObjective, type NativeEntry, sloEntries } from './slo-entries.ts';

/** `value` is one of our documents, and problems of it lie where OpenSLO says what they are about. */
export interface ImportedDocument extends SourceDocument {
  readonly value: NativeDocument;
  /** What people wrote about the document, and about values in it by their path as text. */
  readonly comments: ReadonlyMap<string, string>;
}

export interface NativeDocument {
  readonly apiVersion: string;
  readonly kind: 'ServiceObjectives';
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly service: string;
    readonly window?: NativeEntry['window'];
    readonly objectives?: readonly NativeEntry[];
    readonly perEndpoint?: readonly { readonly match: string; readonly objectives: readonly NativeEntry[] }[];
  };
}

export interface OpenSloImport {
  readonly documents: readonly ImportedDocument[];
  /** What the mode refuses: these objects are no OpenSLO. */
  readonly problems: readonly Problem[];
  /** Valid, and not converted: each with the reason. */
  readonly unsupported: readonly Problem[];
  /** Converted or passed over, and something is lost or doubtful. */
  readonly warnings: readonly Problem[];
}

/** `sources` are documents of OpenSLO objects, see `isOpenSlo`. Nothing is dropped without a word in one of the lists. */
export function openSloDocuments(sources: readonly SourceDocument[], mode: OpenSloMode): OpenSloImport {
  const { objects, problems, warnings: forgiven } = openSloObjects(sources, mode);
  const references = new References(objects);
  const unsupported: Problem[] = [];
  const warnings: Problem[] = [...forgiven];
  const critic = {
    refuse: (place: Place, finding: Finding) => void unsupported.push(problemOf(place, finding)),
    warn: (place: Place, finding: Finding) => void warnings.push(problemOf(place, finding)),
  };
  const byService = new Map<string, { converted: ConvertedObjective[]; slo: Placed<'SLO'> }>();
  for (const slo of references.ofKind('SLO')) {
    const service = serviceOf(slo, references);
    const group = byService.get(service) ?? { converted: [], slo };
    group.converted.push(...sloEntries(slo, service, references, critic));
    byService.set(service, group);
  }
  const documents: ImportedDocument[] = [];
  for (const [service, { converted, slo }] of byService) {
    if (converted.length > 0) documents.push(documentOf(service, converted, slo, references));
  }
  for (const object of references.unused()) warnings.push(object.source.problem(['metadata', 'name'], unusedFinding(object)));
  return { documents, problems: [...problems, ...references.problems], unsupported: distinct(unsupported), warnings: distinct(warnings) };
}

function unusedFinding({ kind }: AnyPlaced): Finding {
  return { message: `no SLO refers to this ${kind}, so nothing comes of it` };
}

function serviceOf({ value }: Placed<'SLO'>, references: References): string {
  const { service } = value.spec;
  return annotationOf(references.find('Service', service)?.value.metadata, ANNOTATION.service) ?? service;
}

/** An object that several SLOs name is complained about once. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  return [
    ...new Map(
      problems.map((problem) => [JSON.stringify([problem.file, problem.line, problem.column, problem.message]), problem]),
    ).values(),
  ];
}

function documentOf(
  service: string,
  converted: readonly ConvertedObjective[],
  slo: Placed<'SLO'>,
  references: References,
): ImportedDocument {
  const windows = new Set(converted.map(({ entry }) => JSON.stringify(entry.window)));
  const common = windows.size === 1 ? converted[0]?.entry.window : undefined;
  const origins = new Map<string, Place>();
  const comments = new Map<string, string>();
  const placed = (list: readonly ConvertedObjective[], path: YamlPath): readonly NativeEntry[] =>
    list.map(({ entry, place, comment }, index) => {
      const at = pathText([...path, index]);
      origins.set(at, place);
      if (comment !== '') comments.set(at, comment);
      const { window, ...rest } = entry;
      return common === undefined && window !== undefined ? { ...rest, window } : rest;
    });
  const ofService = converted.filter(({ match }) => match === null);
  const matches = [...new Set(converted.flatMap(({ match }) => (match === null ? [] : [match])))];
  const perEndpoint = matches.map((match, index) => {
    const path = ['spec', 'perEndpoint', index];
    const list = converted.filter((one) => one.match === match);
    const [first] = list;
    if (first !== undefined) origins.set(pathText(path), first.place);
    return { match, objectives: placed(list, [...path, 'objectives']) };
  });
  origins.set('', { source: slo.source, path: [] });
  origins.set('spec.service', { source: slo.source, path: ['spec', 'service'] });
  if (common !== undefined) origins.set('spec.window', { source: slo.source, path: ['spec', 'timeWindow', 0] });
  const object = references.ofKind('Service').find(({ value }) => value.metadata.name === slo.value.spec.service);
  const labels = Object.entries(object?.value.metadata.labels ?? {}).map(([key, label]) => [key, [label].flat().join(',')] as const);
  const about = [object?.value.metadata.displayName, object?.value.spec?.description].filter((text) => text !== undefined).join('\n');
  if (about !== '') comments.set('', about);
  const value: NativeDocument = {
    apiVersion: API_VERSION,
    kind: 'ServiceObjectives',
    metadata: { name: documentName(service), ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }) },
    spec: {
      service,
      ...(common === undefined ? {} : { window: common }),
      ...(ofService.length === 0 ? {} : { objectives: placed(ofService, ['spec', 'objectives']) }),
      ...(perEndpoint.length === 0 ? {} : { perEndpoint }),
    },
  };
  return {
    file: slo.source.file,
    value,
    comments,
    problem: (path, finding, at) => {
      const place = originOf(path, origins);
      return place.source.problem(place.path, { ...finding, message: `read as \`${pathText(path)}\`: ${finding.message}` }, at);
    },
  };
}

/** Where the nearest part around `path` comes from. */
function originOf(path: YamlPath, origins: ReadonlyMap<string, Place>): Place {
  for (let length = path.length; length > 0; length--) {
    const found = origins.get(pathText(path.slice(0, length)));
    if (found !== undefined) return found;
  }
  const whole = origins.get('');
  if (whole === undefined) throw new RangeError('an imported document without origin');
  return placeIn(whole);
}

function documentName(service: string): string {
  const name = service
    .replaceAll(/[^-._A-Za-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^[-._]+|[-._]+$/g, '');
  return name === '' ? 'service' : name;
}
