/** `slipstream serve`: the service itself, until a signal ends it. */

import type { Config } from '../config/config.ts';
import { type LoadResult, loadConfig } from '../config/load-config.ts';
import { renderProblems } from '../config/problem.ts';
import { watchConfig } from '../config/watch-config.ts';
import { SpanFileWriter } from '../receivers/span-file-writer.ts';
import { type RunningService, startService } from '../service.ts';
import { createTelemetry, type RunningTelemetry } from '../telemetry/create-telemetry.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { VERSION } from './package-version.ts';

interface ServeOptions {
  readonly config: string;
  readonly record?: string;
}

const EXAMPLES = `Examples:
  slipstream serve --config config/local.yaml
  slipstream serve --config config/local.yaml --record spans.binpb    # keep every request for a replay
`;

/** Something is wrong that nobody foresaw: the supervisor starts us anew (sysexits.h, EX_SOFTWARE). */
const EXIT_SOFTWARE = 70;

export const addServe: AddCommand = (program, context, act) => {
  program
    .command('serve')
    .description('take spans, evaluate objectives, judge rollouts and send signals')
    .addHelpText('before', EXAMPLES)
    .requiredOption('-c, --config <file>', 'the process file; it names the SLO files')
    .option('--record <file>', 'append every accepted request to a file that `replay` reads')
    .action(act((options: ServeOptions) => serve(context, options)));
};

async function serve(context: CliContext, options: ServeOptions): Promise<ExitCode> {
  const { env, streams } = context;
  const loaded = loadConfig(options.config, env);
  if ('problems' in loaded) {
    streams.stderr.write(`${renderProblems(loaded.problems)}\n`);
    return EXIT.failed;
  }
  const { config } = loaded;
  const telemetry = await createTelemetry({ logLevel: config.telemetry.logLevel, destination: streams.stdout, env, version: VERSION });
  dieOfSurprises(telemetry);
  const recorder = options.record === undefined ? null : await SpanFileWriter.open(options.record);
  try {
    const service = await startService({
      config,
      telemetry,
      version: VERSION,
      out: streams.stdout,
      ...(recorder !== null && { tap: (encoding, bytes) => recorder.write(encoding, bytes) }),
    });
    telemetry.set('config_last_reload_success', 1);
    telemetry.log.info({ ...service.addresses, config: options.config, revision: config.policies.revision }, 'slipstream is running');
    streams.stderr.write(banner(service, config));
    const watch = watchConfig({ path: options.config, env, config, onChange: (result) => reload(service, telemetry, config, result) });
    await stopSignal(() => watch.look());
    watch.stop();
    telemetry.log.info({}, 'stopping');
    await service.stop();
    telemetry.log.info({}, 'stopped');
    return EXIT.ok;
  } finally {
    await recorder?.close();
    await telemetry.shutdown();
  }
}

function reload(service: RunningService, telemetry: RunningTelemetry, first: Config, result: LoadResult): void {
  const isGood = 'config' in result;
  telemetry.set('config_last_reload_success', isGood ? 1 : 0);
  telemetry.add('config_reloads_total', 1, { result: isGood ? 'ok' : 'refused' });
  if (!isGood) {
    telemetry.log.error({ problems: renderProblems(result.problems) }, 'the new configuration is refused; the old one stays in use');
    return;
  }
  service.reconfigure(result.config);
  const needsRestart = (['receivers', 'api', 'state', 'histogram', 'series', 'sinks', 'telemetry'] as const).filter(
    (part) => JSON.stringify(first[part]) !== JSON.stringify(result.config[part]),
  );
  telemetry.log.info({ revision: result.config.policies.revision }, 'configuration reloaded');
  if (needsRestart.length > 0) telemetry.log.warn({ needsRestart }, 'these parts of the new configuration are in use after a restart only');
}

function banner(service: RunningService, config: Config): string {
  const { grpc, http, api } = service.addresses;
  const lines = [
    'Slipstream is running.',
    ...(grpc === null ? [] : [`  send spans by OTLP/gRPC to  ${grpc}`]),
    ...(http === null ? [] : [`  send spans by OTLP/HTTP to  http://${http}/v1/traces`]),
    `  see endpoints and runs      slipstream status --url ${api}`,
    `  status, metrics, OpenAPI    ${api}/v1/status  ${api}/metrics  ${api}/openapi.json`,
    `  state                       ${config.state.directory ?? 'in memory: gone with this process'}`,
    `  objectives                  ${[...config.policies.services.values()].reduce((sum, policy) => sum + policy.objectives.length, 0)} for ${config.policies.services.size} services`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. SIGHUP looks for a changed configuration. */
async function stopSignal(onHangup: () => void): Promise<void> {
  const stop = Promise.withResolvers<void>();
  let asked = false;
  const onStop = (): void => {
    if (asked) process.exit(EXIT.failed);
    asked = true;
    stop.resolve();
  };
  process.on('SIGTERM', onStop);
  process.on('SIGINT', onStop);
  process.on('SIGHUP', onHangup);
  await stop.promise;
}

function dieOfSurprises(telemetry: RunningTelemetry): void {
  const die = (error: unknown): void => {
    telemetry.log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'unforeseen failure; exiting');
    process.exit(EXIT_SOFTWARE);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}
