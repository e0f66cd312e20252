/** `slipstream slo explain`: one objective on one page, with the arithmetic behind every number. */
import { type ObjectiveReportWire, type SloReportWire, sloReport } from '../api/slo-schemas.ts';
import { PermanentError } from '../model/errors.ts';
import { sloExplanation } from '../model/slo-explanation.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';

interface ExplainOptions {
  readonly url: string;
  readonly service?: string;
  readonly check?: true;
  readonly output: OutputFormat;
}

/** So many are named when more than one is meant. */
const MAX_NAMED = 10;

export const addSloExplain: AddCommand = (group, context, act) => {
  const command = group
    .command('explain')
    .description('one objective on one page: budget, alerts, who spent it, incidents, forecast')
    .argument('[objective]', 'its id, or a part that only one has; without it, the worst')
    .option('--service <name>', 'only objectives of this service')
    .option('--check', 'exit with 3 when it is breached');
  withUrlOption(command, context);
  withOutputOption(command).action(
    act((objective: string | undefined, options: ExplainOptions) => explain(context, objective ?? null, options)),
  );
};

async function explain(context: CliContext, wanted: string | null, options: ExplainOptions): Promise<ExitCode> {
  const { url, service, check, output } = options;
  const query = new URLSearchParams(service === undefined ? {} : { service });
  const report = await answerTo({ url, path: `/v1/slo?${query}`, subject: 'its objectives', schema: sloReport });
  const objective = chosen(report, wanted, service === undefined ? '' : ` of ${service}`);
  const data = { ...report, objectives: [objective], services: report.services.filter((of) => of.service === objective.service) };
  print(context, output, data, () => sloExplanation(objective, report).join('\n'));
  return check === true && objective.state === 'breached' ? EXIT.breached : EXIT.ok;
}

function chosen({ objectives }: SloReportWire, wanted: string | null, whose: string): ObjectiveReportWire {
  if (objectives.length === 0) throw new PermanentError('unknown', `no objective${whose} is declared there`);
  const matching = wanted === null ? objectives.slice(0, 1) : objectives.filter(({ id }) => id.includes(wanted));
  const exact = objectives.find(({ id }) => id === wanted) ?? (matching.length === 1 ? matching[0] : undefined);
  if (exact !== undefined) return exact;
  const named = (matching.length === 0 ? objectives : matching).map(({ id }) => id);
  const list = `${named.slice(0, MAX_NAMED).join(', ')}${named.length > MAX_NAMED ? `, and ${named.length - MAX_NAMED} more` : ''}`;
  throw new PermanentError(
    'unknown',
    matching.length === 0
      ? `no objective ${wanted} is declared; there are ${list}`
      : `${wanted} could mean ${matching.length} objectives: ${list}`,
  );
}
