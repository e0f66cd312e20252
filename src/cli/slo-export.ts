/** `slipstream slo export`: our objectives as OpenSLO v1. */
import { stringify } from 'yaml';
import { isSloDocument } from '../config/load-config.ts';
import { type ExportedObject, openSloExport } from '../config/openslo/export.ts';
import { resolvePolicies } from '../config/policies.ts';
import { renderProblems } from '../config/problem.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { readSources, writeNewFiles } from './slo-files.ts';

const EXAMPLES = `Examples:
  slipstream slo export config/slos/ > openslo.yaml      all objectives, with the defaults they follow
  slipstream slo export config/slos/ --out openslo/      a file for each service, and one for what they share
`;

/** Objects that several services refer to. */
const SHARED = 'openslo.shared.yaml';

export const addSloExport: AddCommand = (group, context, act) => {
  group
    .command('export')
    .description('say objectives in OpenSLO v1; exits with 1 when one cannot be said')
    .argument('<files...>', 'SLO files, folders or globs, `Defaults` among them')
    .option('--out <folder>', 'write files there instead of printing; existing files are not replaced')
    .addHelpText('before', EXAMPLES)
    .action(act((files: string[], options: { out?: string }) => exportFiles(context, files, options.out)));
};

function exportFiles({ streams }: CliContext, files: readonly string[], out: string | undefined): ExitCode {
  const read = readSources(files);
  // A process file may hold SLO documents too.
  const sources = read.sources.filter(({ value }) => isSloDocument(value));
  const resolved = resolvePolicies(sources, null, '', true);
  const broken = [...read.problems, ...resolved.problems];
  if (broken.length > 0) {
    streams.stderr.write(renderProblems(broken));
    return EXIT.failed;
  }
  const { objects, unsupported, warnings } = openSloExport(resolved.policies, sources);
  const told = [renderProblems(unsupported), renderProblems(warnings, 'warning')];
  streams.stderr.write(told.filter((text) => text !== '').join('\n'));
  if (out === undefined) streams.stdout.write(textOf(objects));
  else if (objects.length > 0) {
    const written = writeNewFiles(out, new Map([...byFile(objects)].map(([name, group]) => [name, textOf(group)])));
    streams.stdout.write(written.map((path) => `${path}\n`).join(''));
  }
  return unsupported.length === 0 ? EXIT.ok : EXIT.failed;
}

function textOf(objects: readonly ExportedObject[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n');
}

function byFile(objects: readonly ExportedObject[]): ReadonlyMap<string, readonly ExportedObject[]> {
  const files = new Map<string, ExportedObject[]>();
  for (const object of objects) {
    const service = object.kind === 'Service' ? object.metadata.name : object.kind === 'SLO' ? serviceOf(object.spec) : null;
    // Names of services have no dot, so no service takes the place of the shared file.
    const name = service === null ? SHARED : `${service}.yaml`;
    files.set(name, [...(files.get(name) ?? []), object]);
  }
  return files;
}

function serviceOf(spec: object): string | null {
  return 'service' in spec ? String(spec.service) : null;
}
