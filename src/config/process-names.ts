/** Names in SLO documents that only the process file can declare. */
import type { CanarySection } from './canary-schema.ts';
import { nearestName } from './nearest-name.ts';
import type { Problem, YamlPath } from './problem.ts';
import { unknownName } from './service-objectives.ts';
import type { SourceDocument } from './yaml-source.ts';

/** What the process file declares; null where no process file is at hand, then names are not checked. */
export interface ProcessNames {
  readonly sinks: readonly string[];
  readonly releaseBy: readonly string[];
}

/** Sinks and attributes that a canary section names. */
export function checkNames(
  source: SourceDocument,
  section: CanarySection,
  path: YamlPath,
  process: ProcessNames,
  problems: Problem[],
): void {
  for (const [index, name] of (section.sinks ?? []).entries()) {
    if (process.sinks.includes(name)) continue;
    problems.push(source.problem([...path, 'sinks', index], unknownName('sink', name, process.sinks, 'the process file')));
  }
  const untracked = (attribute: string, inner: YamlPath, at: 'key' | 'value'): void => {
    if (process.releaseBy.includes(attribute)) return;
    const message = `\`${attribute}\` does not tell releases apart, so no release has it`;
    const expected = `one of ${process.releaseBy.join(', ')}, or one more entry in \`spans.releaseBy\` of the process file`;
    problems.push(
      source.problem([...path, 'track', ...inner], { message, expected, suggestion: nearestName(attribute, process.releaseBy) }, at),
    );
  };
  if (section.track?.by !== undefined) untracked(section.track.by, ['by'], 'value');
  for (const side of ['canary', 'baseline'] as const) {
    for (const attribute of Object.keys(section.track?.[side] ?? {})) untracked(attribute, [side, attribute], 'key');
  }
}
