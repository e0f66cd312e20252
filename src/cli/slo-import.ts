/** `slipstream slo import`: OpenSLO files as files of our own. */
import { openSloDocuments } from '../config/openslo/import.ts';
import { nativeYaml } from '../config/openslo/native-yaml.ts';
import { resolvePolicies } from '../config/policies.ts';
import { renderProblems } from '../config/problem.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { readSources, writeNewFiles } from './slo-files.ts';

const EXAMPLES = `Examples:
  slipstream slo import openslo/ > slos/imported.yaml    what is lost is told on standard error
  slipstream slo import --strict slo.yaml                by the rules of OpenSLO's SDK
  slipstream slo import openslo/ --out slos/             a file for each service

OpenSLO files may also lie among the others in \`slos\`: they are read leniently there.
`;

interface Options {
  readonly strict?: boolean;
  readonly out?: string;
}

export const addSloImport: AddCommand = (group, context, act) => {
  group
    .command('import')
    .description('turn OpenSLO v1 files into SLO files; exits with 1 when anything was refused')
    .argument('<files...>', 'OpenSLO files, folders or globs: YAML or JSON')
    .option('--strict', "refuse what OpenSLO's SDK refuses; otherwise common slips are forgiven with a warning")
    .option('--out <folder>', 'write a file for each service there instead of printing; existing files are not replaced')
    .addHelpText('before', EXAMPLES)
    .action(act((files: string[], options: Options) => importFiles(context, files, options)));
};

function importFiles({ streams }: CliContext, files: readonly string[], { strict, out }: Options): ExitCode {
  const read = readSources(files);
  const imported = openSloDocuments(read.sources, strict === true ? 'strict' : 'lenient');
  const { documents } = imported;
  const resolved = resolvePolicies(documents, null, '', true);
  const refused = [...read.problems, ...imported.problems, ...imported.unsupported, ...resolved.problems];
  const told = [renderProblems(refused), renderProblems([...imported.warnings, ...resolved.warnings], 'warning')];
  streams.stderr.write(told.filter((text) => text !== '').join('\n'));
  const texts = documents.map((document) => [`${document.value.metadata.name}.yaml`, nativeYaml(document)] as const);
  if (out === undefined) streams.stdout.write(texts.map(([, text]) => text).join('---\n'));
  else if (texts.length > 0) {
    const written = writeNewFiles(out, withOwnNames(texts));
    streams.stdout.write(written.map((path) => `${path}\n`).join(''));
  }
  return refused.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Services `a/b` and `a-b` would have the same file. */
function withOwnNames(texts: readonly (readonly [name: string, text: string])[]): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const [name, text] of texts) {
    let own = name;
    for (let count = 2; named.has(own); count++) own = name.replace(/\.yaml$/, `-${count}.yaml`);
    named.set(own, text);
  }
  return named;
}
