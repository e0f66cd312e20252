/** Tells the SLO documents among all that were read, and holds each against its schema. */
import { checkDocument } from './check-document.ts';
import { nearestName } from './nearest-name.ts';
import { withOpenSlo } from './openslo/beside.ts';
import { type Problem, shownValue, type YamlPath } from './problem.ts';
import {
  API_VERSION,
  type DefaultsDocument,
  defaultsSchema,
  type ServiceDocument,
  SLO_KINDS,
  serviceObjectivesSchema,
} from './slo-schema.ts';
import type { SourceDocument } from './yaml-source.ts';

interface Read<T> {
  readonly source: SourceDocument;
  readonly value: T;
}

/** What is wrong with a document is added to `problems`, and the document left out. OpenSLO among them is read too. */
export function readDocuments(
  sources: readonly SourceDocument[],
  problems: Problem[],
  warnings: Problem[],
): { defaults: Read<DefaultsDocument> | null; services: Read<ServiceDocument>[] } {
  let defaults: Read<DefaultsDocument> | null = null;
  const services: Read<ServiceDocument>[] = [];
  const beside = withOpenSlo(sources);
  problems.push(...beside.problems);
  warnings.push(...beside.warnings);
  for (const source of beside.documents) {
    const kind = kindOf(source, problems);
    if (kind === null) continue;
    if (kind === 'ServiceObjectives') {
      const checked = checkDocument(serviceObjectivesSchema, source);
      problems.push(...checked.problems);
      if (checked.value !== null) services.push({ source, value: checked.value });
      continue;
    }
    const checked = checkDocument(defaultsSchema, source);
    problems.push(...checked.problems);
    if (checked.value === null) continue;
    if (defaults === null) defaults = { source, value: checked.value };
    else
      problems.push(source.problem(['kind'], { message: 'another document is `Defaults` already', expected: 'one `Defaults` document' }));
  }
  return { defaults, services };
}

/** Which of our documents it is; anything else is named and refused. */
function kindOf(source: SourceDocument, problems: Problem[]): (typeof SLO_KINDS)[number] | null {
  const refuse = (path: YamlPath, message: string, expected: string, suggestion?: string): null => {
    problems.push(source.problem(path, { message, expected, suggestion }));
    return null;
  };
  if (typeof source.value !== 'object' || source.value === null || Array.isArray(source.value)) {
    return refuse([], 'not a document of SLOs', `a section with apiVersion, kind, metadata and spec`);
  }
  const { apiVersion, kind } = source.value as Record<string, unknown>;
  const expectedVersion = `\`${API_VERSION}\``;
  const ours = SLO_KINDS.find((name) => name === kind);
  if (apiVersion !== API_VERSION) {
    const message = apiVersion === undefined ? '`apiVersion` is missing' : `${shownValue(apiVersion, ['apiVersion'])} is not known here`;
    return refuse(['apiVersion'], message, expectedVersion, nearestName(String(apiVersion), [API_VERSION]));
  }
  if (ours !== undefined) return ours;
  const message = kind === undefined ? '`kind` is missing' : `${shownValue(kind, ['kind'])} is not known here`;
  return refuse(['kind'], message, SLO_KINDS.join(' or '), nearestName(String(kind), SLO_KINDS));
}
