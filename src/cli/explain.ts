/** `slipstream explain`: why a rollout was rolled back, promoted or held, on one page. */
import { type ExplainedRunWire, explainedRun, runList } from '../api/schemas.ts';
import { visible } from '../model/safe-text.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';

interface ExplainOptions {
  readonly url: string;
  readonly service?: string;
  readonly output: OutputFormat;
}

const EXAMPLES = `Examples:
  slipstream explain                             the newest rollout
  slipstream explain --service checkout          the newest one of a service
  slipstream explain ro-3f9a… | tee why.txt      by its id, as status and signals name it
  slipstream explain ro-3f9a… -o json            all numbers behind the page
`;

export const addExplain: AddCommand = (program, context, act) => {
  const command = program
    .command('explain')
    .description('why a rollout is judged as it is, on one page')
    .argument('[rollout]', 'its id; without it, the newest')
    .addHelpText('before', EXAMPLES)
    .option('--service <name>', 'the newest rollout of this service');
  withUrlOption(command, context);
  withOutputOption(command).action(
    act((rollout: string | undefined, options: ExplainOptions): Promise<ExitCode> => explain(context, rollout, options)),
  );
};

async function explain(context: CliContext, rollout: string | undefined, options: ExplainOptions): Promise<ExitCode> {
  const id = rollout ?? (await newest(options));
  if (id === null) {
    context.streams.stderr.write('slipstream: no rollout is known yet\n');
    return EXIT.failed;
  }
  const run = await answerTo({
    url: options.url,
    path: `/v1/rollouts/${encodeURIComponent(id)}`,
    subject: `rollout ${id}`,
    schema: explainedRun,
  });
  print(context, options.output, run, () => pageText(run));
  return EXIT.ok;
}

async function newest({ url, service }: ExplainOptions): Promise<string | null> {
  const query = new URLSearchParams({ limit: '1', ...(service === undefined ? {} : { service }) });
  const { rollouts } = await answerTo({ url, path: `/v1/rollouts?${query}`, subject: 'its newest rollout', schema: runList });
  return rollouts[0]?.id ?? null;
}

/** Whoever answers is not trusted to have made the page safe. */
function pageText(run: ExplainedRunWire): string {
  return run.explanation.page.split('\n').map(visible).join('\n');
}
