/** `slipstream validate`: every problem of configuration and SLO files, before they are used. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Problem, renderProblems } from '../config/problem.ts';
import { type Validation, validateFiles } from '../config/validate-files.ts';
import { visible } from '../model/safe-text.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';

const EXAMPLES = `Examples:
  slipstream validate config/local.yaml          a process file and all SLO files it names
  slipstream validate slos/                      a folder of SLO files
  generate-slos | slipstream validate -          from a pipe
`;

const STDIN_NAME = '<stdin>';
/** Far more than the loader takes; it says so itself. */
const MAX_STDIN_BYTES = 16 * 2 ** 20;

export const addValidate: AddCommand = (program, context, act) => {
  const command = program
    .command('validate')
    .description('check configuration and SLO files; exits with 3 when one is refused')
    .argument('<files...>', 'files or folders; - is standard input, where `slos` needs absolute paths')
    .addHelpText('before', EXAMPLES);
  withOutputOption(command).action(act((files: string[], options: { output: OutputFormat }) => validate(context, files, options.output)));
};

async function validate(context: CliContext, files: readonly string[], format: OutputFormat): Promise<ExitCode> {
  const validation = files.includes('-') ? await withStdin(context, files) : validateFiles(files);
  const isValid = validation.problems.length === 0;
  print(context, format, { valid: isValid, ...validation }, () => validationText(validation));
  return isValid ? EXIT.ok : EXIT.breached;
}

function validationText(validation: Validation): string {
  const { files, services, problems, warnings } = validation;
  const parts = [renderProblems(problems), renderProblems(warnings, 'warning')];
  if (problems.length === 0) {
    const named = services.length === 0 ? '' : `, with objectives or policies for ${visible(services.join(', '))}`;
    parts.push(`${files.length} ${files.length === 1 ? 'file is' : 'files are'} valid${named}`);
  }
  return parts
    .map((part) => part.trimEnd())
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The loader reads files, so standard input becomes one for as long as it takes; messages name it as what it is. */
async function withStdin(context: CliContext, files: readonly string[]): Promise<Validation> {
  const folder = mkdtempSync(join(tmpdir(), 'slipstream-validate-'));
  try {
    const path = join(folder, 'stdin.yaml');
    writeFileSync(path, await readAll(context.streams.stdin), { mode: 0o600 });
    const validation = validateFiles(files.map((file) => (file === '-' ? path : file)));
    const renamed = (name: string): string => (name === path ? STDIN_NAME : name);
    const inPlace = (problem: Problem): Problem => ({ ...problem, file: renamed(problem.file) });
    return {
      files: validation.files.map(renamed),
      services: validation.services,
      problems: validation.problems.map(inPlace),
      warnings: validation.warnings.map(inPlace),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > MAX_STDIN_BYTES) throw new Error(`reading standard input: more than ${MAX_STDIN_BYTES} bytes`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}
