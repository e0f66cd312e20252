/** `slipstream slo try`: what an objective would say that was never declared, from what is stored. */
import { whatIfReport } from '../api/slo-schemas.ts';
import { visible } from '../model/safe-text.ts';
import { whatIfLines } from '../model/slo-text.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';

interface TryOptions {
  readonly url: string;
  readonly window: string;
  readonly endpoint?: string;
  readonly check?: true;
  readonly output: OutputFormat;
}

const EXAMPLES = `Examples:
  slipstream slo try checkout "p95 < 300ms"
  slipstream slo try checkout 99.95% --window 28d
  slipstream slo try checkout "errors < 0.1%" --endpoint "POST /pay" --check
`;

export const addSloTry: AddCommand = (group, context, act) => {
  const command = group
    .command('try')
    .description('what an objective would say that was never declared')
    .argument('<service>', 'whose requests')
    .argument('<objective>', 'such as "p95 < 300ms", 99.9% or "errors < 0.1%"')
    .addHelpText('before', EXAMPLES)
    .option('--window <duration>', 'how far back', '7d')
    .option('--endpoint <pattern>', 'only these endpoints, such as "GET /reports/**"')
    .option('--check', 'exit with 3 when it would be breached');
  withUrlOption(command, context);
  withOutputOption(command).action(
    act((service: string, objective: string, options: TryOptions) => tried(context, { service, objective }, options)),
  );
};

async function tried(
  context: CliContext,
  asked: { readonly service: string; readonly objective: string },
  { url, window, endpoint, check, output }: TryOptions,
): Promise<ExitCode> {
  const query = new URLSearchParams({ ...asked, window, ...(endpoint === undefined ? {} : { endpoint }) });
  const answer = await answerTo({ url, path: `/v1/what-if?${query}`, subject: `what ${asked.objective} would say`, schema: whatIfReport });
  print(context, output, answer, () => whatIfLines(answer).map(visible).join('\n'));
  return check === true && answer.outcome === 'breached' ? EXIT.breached : EXIT.ok;
}
