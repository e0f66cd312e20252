/** `slipstream slo add`: pastes the line of a contract into the SLO file of a service. */
import { mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Addition, addition } from '../config/add-objectives.ts';
import { type ContractPart, parseContract } from '../config/contract-line.ts';
import { renderProblems } from '../config/problem.ts';
import { Complaint } from '../config/quantity.ts';
import { PermanentError } from '../model/errors.ts';
import { visible } from '../model/safe-text.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { changedLines } from './line-diff.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';

interface AddOptions {
  readonly file: string;
  readonly endpoint?: string;
  readonly dryRun?: true;
  readonly output: OutputFormat;
}

const EXAMPLES = `Examples:
  slipstream slo add checkout "p95 < 500ms, 99.9%, errors < 0.5%"
  slipstream slo add checkout "p99 < 800ms on POST /checkout" --dry-run
  slipstream slo add checkout "p99 < 800ms" --endpoint "POST /checkout" --file slos/shop.yaml
`;

const USUAL_PLACE = 'config/slos';
const ANYBODY_WRITES = 0o222;

export const addSloAdd: AddCommand = (program, context, act) => {
  const command = program
    .command('add')
    .description('write objectives into the SLO file of a service, from the line of a contract; what is promised already stays')
    .argument('<service>', '`service.name` of its spans, or namespace/name')
    .argument('<contract>', 'parts between commas: "p95 < 500ms, 99.9%, errors < 0.1%, throughput > 10/s on POST /checkout"')
    .addHelpText('before', EXAMPLES)
    .option('-f, --file <path>', 'SLO file, or folder in which to find the document of the service; made where there is none', USUAL_PLACE)
    .option('-e, --endpoint <endpoint>', 'the endpoint all parts are about, or a pattern')
    .option('--dry-run', 'only show what would be written');
  withOutputOption(command).action(
    act((service: string, contract: string, options: AddOptions) => add(context, service, contract, options)),
  );
};

function add(context: CliContext, service: string, contract: string, options: AddOptions): ExitCode {
  const { stderr } = context.streams;
  const parts = partsOf(contract, options.endpoint);
  if (parts instanceof Complaint) {
    stderr.write(`slipstream: ${visible(parts.message)}\n`);
    if (parts.expected !== undefined) stderr.write(`  expected: ${visible(parts.expected)}\n`);
    if (parts.suggestion !== undefined) stderr.write(`  did you mean \`${visible(parts.suggestion)}\`?\n`);
    return EXIT.usage;
  }
  const made = addition(options.file, service, parts);
  if ('problems' in made) {
    stderr.write(renderProblems(made.problems));
    return EXIT.breached;
  }
  stderr.write(renderProblems(made.warnings, 'warning'));
  const isWritten = made.added.length > 0 && options.dryRun !== true;
  if (isWritten) writeWhole(made.file, made.after);
  const shown = ({ id, text }: { id: string; text: string }) => ({ id, text });
  const data = {
    file: made.file,
    created: made.before === null,
    written: isWritten,
    added: made.added.map(shown),
    kept: made.kept.map(shown),
  };
  print(context, options.output, data, () => summary(service, made, isWritten));
  return EXIT.ok;
}

function partsOf(contract: string, endpoint: string | undefined): readonly ContractPart[] | Complaint {
  const parts = parseContract(contract);
  if (parts instanceof Complaint || endpoint === undefined) return parts;
  const other = parts.find((part) => part.endpoint !== null && part.endpoint !== endpoint);
  if (other !== undefined) return new Complaint(`\`on ${other.endpoint}\` and --endpoint name different endpoints`, 'one of them');
  return parts.map((part) => ({ ...part, endpoint }));
}

function summary(service: string, { file, before, after, added, kept }: Addition, isWritten: boolean): string {
  const lines: string[] = [];
  for (const { id, text } of kept) lines.push(`  ${visible(text)} is promised already (${visible(id)})`);
  if (added.length === 0) return [`${visible(file)} stays as it is`, ...lines].join('\n');
  const act = before === null ? 'made' : 'changed';
  const objectives = added.length === 1 ? 'objective' : 'objectives';
  lines.unshift(
    `${visible(file)} ${isWritten ? `is ${act}` : `would be ${act}`}: ${added.length} ${objectives} of ${visible(service)} added`,
  );
  for (const { sign, line, text } of changedLines(before ?? '', after)) lines.push(`${String(line).padStart(4)} ${sign} ${visible(text)}`);
  return lines.join('\n');
}

/** A reader sees the old file or the new one, never half of one. Links stay links. */
function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const stats = statSync(path, { throwIfNoEntry: false });
  // Renaming would replace a file that nobody may write.
  if (stats !== undefined && (stats.mode & ANYBODY_WRITES) === 0)
    throw new PermanentError('read_only', `writing ${path}: the file is read-only`);
  const real = stats === undefined ? path : realpathSync(path);
  // Loaders leave out names that begin with a dot.
  const temporary = join(dirname(real), `.${basename(real)}.${process.pid}.new`);
  try {
    writeFileSync(temporary, text, { flush: true, mode: stats?.mode ?? 0o644 });
    renameSync(temporary, real);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new Error(`writing ${path}`, { cause: error });
  }
}
