/** `slipstream plan`: what a canary could show with its share of the traffic, and how soon, before it is rolled out. */
import { InvalidArgumentError } from 'commander';
import { canaryShareOf } from '../api/outlook-query.ts';
import { type OutlookWire, outlookReport } from '../api/schemas.ts';
import { lengthText, percent } from '../model/number-text.ts';
import { effectText } from '../model/outlook-text.ts';
import { visible } from '../model/safe-text.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';

interface PlanOptions {
  readonly url: string;
  readonly service: string;
  readonly share: string;
  readonly within?: string;
  readonly check?: true;
  readonly output: OutputFormat;
}

const EXAMPLES = `Examples:
  slipstream plan --service checkout --share 5%               how long until a regression is found
  slipstream plan --service checkout --share 25% --within 2h
  slipstream plan --service checkout --share 5% --check       exits with 3 when an endpoint cannot be judged
`;

export const addPlan: AddCommand = (program, context, act) => {
  const command = program
    .command('plan')
    .description('what a canary could show at the traffic of the last 15 minutes')
    .addHelpText('before', EXAMPLES)
    .requiredOption('--service <name>', 'whose canary')
    .requiredOption('--share <percent>', 'of the traffic that the canary is to get, such as 5%', share)
    .option('--within <duration>', 'how long the run may take; default: as the policy has it')
    .option('--check', 'exit with 3 when some check cannot be judged in that time');
  withUrlOption(command, context);
  withOutputOption(command).action(act((options: PlanOptions) => plan(context, options)));
};

async function plan(context: CliContext, options: PlanOptions): Promise<ExitCode> {
  const { url, service, within } = options;
  const query = new URLSearchParams({ service, canaryShare: options.share, ...(within === undefined ? {} : { within }) });
  const outlook = await answerTo({ url, path: `/v1/outlook?${query}`, subject: `the outlook of ${service}`, schema: outlookReport });
  print(context, options.output, outlook, (table) => outlookPage(outlook, table));
  return options.check === true && outlook.checks.some((check) => !check.isJudgeable) ? EXIT.breached : EXIT.ok;
}

function share(text: string): string {
  if (canaryShareOf(text) === null)
    throw new InvalidArgumentError('It must be a share of the traffic like 5%, more than 0% and less than 100%.');
  return text;
}

function outlookPage(outlook: OutlookWire, options: TableOptions): string {
  const { service, canaryShare, rate, release, seenMs, withinMs, endpoints, checks } = outlook;
  const head = `${visible(service)}: a canary with ${percent(canaryShare)} of ${rate.toFixed(1)} requests/s, compared with ${visible(release)}, judged for ${lengthText(withinMs)}`;
  const seen = `traffic of the last ${lengthText(seenMs)}, ${endpoints} ${endpoints === 1 ? 'endpoint' : 'endpoints'}; times are those of a regression from the start, about`;
  const dark = checks.filter((check) => !check.isJudgeable).length;
  const foot =
    dark === 0
      ? 'Every check can be judged in this time.'
      : `${dark} of ${checks.length} checks cannot be judged in this time: give the canary more traffic or more time, or watch them otherwise.`;
  return `${head}\n${seen}\n\n${table(outlook, options)}\n\n${foot}`;
}

function table({ checks, withinMs }: OutlookWire, options: TableOptions): string {
  const columns: readonly Column[] = [
    { header: 'ENDPOINT', shrinks: true, minWidth: 16 },
    { header: 'METRIC' },
    { header: 'EFFECT' },
    { header: 'NEEDS ABOUT', align: 'right' },
    { header: `SMALLEST WITHIN ${lengthText(withinMs).toUpperCase()}`, align: 'right' },
    { header: 'CAN BE JUDGED' },
  ];
  const rows = checks.map(({ endpoint, metric, effect, neededMs, smallest, isJudgeable }): Cell[] => [
    endpoint,
    metric,
    effectText(metric, effect),
    neededMs === null ? 'never' : lengthText(neededMs),
    smallest === null ? 'none' : effectText(metric, smallest),
    { text: isJudgeable ? 'yes' : 'no', tone: isJudgeable ? 'good' : 'warning' },
  ]);
  return renderTable(columns, rows, options);
}
