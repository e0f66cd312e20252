/** `slipstream coverage`: endpoints that are served or promised, and those of them of which no objective speaks. */
import { type Command, Option } from 'commander';
import { type StatusWire, status as statusSchema } from '../api/schemas.ts';
import { endpointMatches } from '../model/endpoint-pattern.ts';
import { PermanentError } from '../model/errors.ts';
import { whole } from '../model/number-text.ts';
import { type CoveredEndpoint, type CoveringObjective, type KnownEndpoint, objectiveCoverage } from '../model/objective-coverage.ts';
import { OVERFLOW_ENDPOINT } from '../model/series.ts';
import { answerTo, withUrlOption } from './api-client.ts';
import { configured } from './config-option.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { openApiEndpoints } from './openapi-endpoints.ts';
import { type OutputFormat, print, withOutputOption } from './output.ts';
import { readRecording } from './recorded.ts';
import { type Cell, type Column, renderTable, type TableOptions } from './table.ts';
import type { Tone } from './terminal-text.ts';

interface CoverageOptions {
  readonly service?: string;
  readonly openapi?: string;
  readonly config?: string;
  readonly slos?: string[];
  readonly recording?: string;
  readonly url: string;
  readonly window: string;
  readonly require: 'any' | 'endpoint';
  readonly ignore?: string[];
  readonly output: OutputFormat;
}

const EXAMPLES = `Examples:
  slipstream coverage --window 6h                                               of a running Slipstream
  slipstream coverage --recording spans.binpb --slos config/slos
  slipstream coverage --openapi api.yaml --service checkout --slos config/slos    in a pull request
  slipstream coverage --openapi api.yaml --service checkout --slos config/slos --require endpoint --ignore 'GET /health*'
`;

const NOTES = `
With --openapi a running Slipstream is asked only when --url is given. Without --config and --slos the objectives are those
of the running one. Endpoints match as in objectives; parameters match whatever they are called.

Exit codes:
  0  every endpoint is covered
  1  failed
  2  wrong usage
  3  some are not
`;

export const addCoverage: AddCommand = (program, context, act) => {
  const command = program
    .command('coverage')
    .description('endpoints without an objective; exits with 3 when there are some')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', NOTES)
    .option('--service <name>', 'only this service; needed with --openapi')
    .option('--openapi <file>', 'endpoints that an OpenAPI 3.x file lists, YAML or JSON')
    .option('-c, --config <file>', 'objectives of a process file and the SLO files it names')
    .option('--slos <paths...>', 'objectives of SLO files or folders')
    .addOption(new Option('--recording <file>', 'endpoints in a recording of spans, as `replay` reads them').conflicts('url'))
    .option('--window <duration>', 'how far back a running one is asked for traffic', '1h')
    .addOption(
      new Option('--require <what>', 'what every endpoint must have')
        .choices(['any', 'endpoint'])
        .default('any', 'any: one of the service counts'),
    )
    .option('--ignore <patterns...>', 'endpoints that need no objective');
  withUrlOption(command, context);
  withOutputOption(command).action(act((options: CoverageOptions) => coverage(context, command, options)));
};

async function coverage(context: CliContext, command: Command, options: CoverageOptions): Promise<ExitCode> {
  const { service, openapi, recording, config, slos } = options;
  if (openapi !== undefined && service === undefined) command.error('error: --openapi needs --service: whose endpoints are these?');
  const isConfigured = config !== undefined || slos !== undefined;
  if (recording !== undefined && !isConfigured)
    command.error('error: --recording needs --config or --slos: a recording holds no objectives');
  const isAsked = recording === undefined && (openapi === undefined || command.getOptionValueSource('url') === 'cli' || !isConfigured);
  const running = isAsked ? await runningStatus(options) : null;
  const loaded = isConfigured || recording !== undefined ? configured(context, config, slos) : null;
  const known: KnownEndpoint[] = running === null ? [] : inStatus(running);
  if (recording !== undefined && loaded !== null) known.push(...inRecording(await readRecording(context, recording, loaded)));
  if (openapi !== undefined && service !== undefined) {
    known.push(...(await openApiEndpoints(openapi)).map((each) => ({ ...each, service, source: 'openapi' as const, requests: 0 })));
  }
  const objectives: readonly CoveringObjective[] =
    loaded === null
      ? (running?.services ?? []).flatMap((each) => each.objectives.map((objective) => ({ ...objective, service: each.service })))
      : [...loaded.policies.services.values()].flatMap((policy) => policy.objectives);
  const ignored = options.ignore ?? [];
  const wanted = known.filter(
    (each) => (service === undefined || each.service === service) && !ignored.some((pattern) => endpointMatches(pattern, each.endpoint)),
  );
  if (wanted.length === 0) throw new PermanentError('no_endpoints', `no endpoint ${service === undefined ? '' : `of ${service} `}is known`);
  const rows = objectiveCoverage(wanted, objectives).map((row) => ({ ...row, isCovered: isCovered(row, options.require) }));
  const uncovered = rows.filter((row) => !row.isCovered).length;
  const answer = {
    endpoints: rows.length,
    uncovered,
    rows: rows.map((row) => ({ ...row, objectives: row.objectives.map(({ id, text }) => ({ id, text })) })),
  };
  print(context, options.output, answer, (table) => coveragePage(rows, uncovered, table));
  return uncovered === 0 ? EXIT.ok : EXIT.breached;
}

async function runningStatus({ url, window, service }: CoverageOptions): Promise<StatusWire> {
  const query = new URLSearchParams({ window, ...(service === undefined ? {} : { service }) });
  return answerTo({ url, path: `/v1/status?${query}`, subject: 'its endpoints', schema: statusSchema });
}

/** Releases of an endpoint are taken together. */
function inStatus({ services }: StatusWire): KnownEndpoint[] {
  return services.flatMap(({ service, endpoints }) => {
    const requests = new Map<string, number>();
    for (const series of endpoints) requests.set(series.endpoint, (requests.get(series.endpoint) ?? 0) + series.requests);
    return seen(service, requests);
  });
}

function inRecording({ recording }: Awaited<ReturnType<typeof readRecording>>): KnownEndpoint[] {
  return recording.services.flatMap(({ service, endpoints, from, to }) =>
    seen(service, new Map([...endpoints].map(([endpoint, series]) => [endpoint, recording.requests(series, from, to)]))),
  );
}

/** Endpoints beyond the quota are no endpoint. */
function seen(service: string, requests: ReadonlyMap<string, number>): KnownEndpoint[] {
  return [...requests]
    .filter(([endpoint]) => endpoint !== OVERFLOW_ENDPOINT)
    .map(([endpoint, count]) => ({ service, endpoint, aliases: [], source: 'traffic', requests: count }));
}

function isCovered({ coverage: has }: CoveredEndpoint, required: CoverageOptions['require']): boolean {
  return required === 'endpoint' ? has === 'endpoint' : has !== 'none';
}

type Row = CoveredEndpoint & { readonly isCovered: boolean };

const COLUMNS: readonly Column[] = [
  { header: 'SERVICE', shrinks: true },
  { header: 'ENDPOINT', shrinks: true, minWidth: 16 },
  { header: 'REQUESTS', align: 'right' },
  { header: 'KNOWN FROM' },
  { header: 'COVERED' },
  { header: 'OBJECTIVES', shrinks: true, minWidth: 16 },
];

/** What is not covered comes first. */
function coveragePage(rows: readonly Row[], uncovered: number, options: TableOptions): string {
  const ordered = [...rows.filter((row) => !row.isCovered), ...rows.filter((row) => row.isCovered)];
  const cells = ordered.map((row): Cell[] => [
    row.service,
    row.endpoint,
    row.inTraffic ? whole(row.requests) : '-',
    [row.inTraffic ? 'traffic' : '', row.inOpenApi ? 'openapi' : ''].filter((name) => name !== '').join(', '),
    { text: row.coverage, tone: toneOf(row) },
    row.objectives.map(({ text }) => text).join('; ') || '-',
  ]);
  const covered = rows.length - uncovered;
  return `${renderTable(COLUMNS, cells, options)}\n\n${covered} of ${rows.length} endpoints are covered${uncovered === 0 ? '' : `, ${uncovered} ${uncovered === 1 ? 'is' : 'are'} not`}`;
}

function toneOf(row: Row): Tone {
  return row.isCovered ? 'good' : 'bad';
}
