/** `slipstream slo list`: every objective with what is left of its budget, the worst first. */
import type { Command } from 'commander';
import { type SloReportWire, sloReport } from '../api/slo-schemas.ts';
import { PermanentError } from '../model/errors.ts';
import { visible } from '../model/safe-text.ts';
import { alertCell, budgetText, burnText, coverageText, forecastCell, sliText, stateText } from '../model/slo-text.ts';
import type { ObjectiveState } from '../model/slo-views.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import type { Tone } from './terminal-text.ts';

interface ListOptions {
  readonly url: string;
  readonly service?: string;
  readonly check?: true;
  readonly output: OutputFormat;
}

export const addSloList: AddCommand = (group, context, act) => {
  const command = group
    .command('list', { isDefault: true })
    .description('objectives, the worst first; what `slo` alone does')
    .option('--service <name>', 'only this service')
    .option('--check', 'exit with 3 when an objective is breached');
  withUrlOption(command, context);
  // What is no command of the group comes here as an argument.
  withOutputOption(command.allowExcessArguments()).action(
    act((options: ListOptions) => {
      const [word] = command.args;
      if (word !== undefined) command.error(`error: slo has no command '${word}'; it has ${namesOf(group)}`);
      return list(context, options);
    }),
  );
};

function namesOf(group: Command): string {
  return group.commands.map((each) => each.name()).join(', ');
}

async function list(context: CliContext, { url, service, check, output }: ListOptions): Promise<ExitCode> {
  const query = new URLSearchParams(service === undefined ? {} : { service });
  const report = await answerTo({ url, path: `/v1/slo?${query}`, subject: 'its objectives', schema: sloReport });
  // A name that is misspelled must not pass a check.
  if (service !== undefined && report.objectives.length === 0)
    throw new PermanentError('unknown', `no objective of ${service} is declared there`);
  print(context, output, report, (table) => listText(report, table));
  return check === true && report.objectives.some(({ state }) => state === 'breached') ? EXIT.breached : EXIT.ok;
}

const COLUMNS: readonly Column[] = [
  { header: 'ID', shrinks: true, minWidth: 24 },
  { header: 'OBJECTIVE', shrinks: true, minWidth: 16 },
  { header: 'WINDOW', shrinks: true },
  { header: 'STATE' },
  { header: 'SLI', align: 'right' },
  { header: 'BUDGET LEFT', align: 'right' },
  { header: 'BURN 1H', align: 'right' },
  { header: 'FORECAST' },
  { header: 'COVERAGE', align: 'right', shrinks: true },
  { header: 'ALERT' },
];

const STATE_TONE: Readonly<Record<ObjectiveState, Tone>> = { met: 'good', at_risk: 'warning', breached: 'bad', no_data: 'warning' };

function listText({ objectives, now, services }: SloReportWire, options: TableOptions): string {
  if (objectives.length === 0) return 'No objective is declared.';
  const rows = objectives.map((objective): Cell[] => [
    // Begins with the service, names the endpoint, and is what `slo explain` takes.
    objective.id,
    objective.text,
    objective.window,
    { text: stateText(objective.state), tone: STATE_TONE[objective.state] },
    sliText(objective.counts, objective.target),
    {
      text: budgetText(objective.budgetRemaining, objective.allowedBad, objective.counts.bad),
      tone: (objective.budgetRemaining ?? 0) < 0 ? 'bad' : 'plain',
    },
    burnText(objective.forecast.burnRate),
    forecastCell(objective.forecast, now),
    coverageText(objective.coverage),
    { text: alertCell(objective.alert), tone: objective.alert.severity === null ? 'plain' : 'bad' },
  ]);
  const out = services.filter(({ excludedNow }) => excludedNow.length > 0);
  const maintenance = out.map(({ service, excludedNow }) => `${service}: nothing counts now, because of ${excludedNow.join(', ')}`);
  const notes = maintenance.map((line) => `\n${visible(line)}`);
  return `${renderTable(COLUMNS, rows, options)}${notes.length === 0 ? '' : `\n${notes.join('')}`}`;
}
