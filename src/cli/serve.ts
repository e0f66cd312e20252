/** `slipstream serve`: the service itself, until a signal ends it. */

import { isDeepStrictEqual } from 'node:util';
import { Option } from 'commander';
import type { Config } from '../config/config.ts';
import { type LoadResult, loadConfig } from '../config/load-config.ts';
import { type Problem, renderProblems } from '../config/problem.ts';
import { Secret } from '../config/secret.ts';
import { watchConfig } from '../config/watch-config.ts';
import type { SpanEncoding } from '../receivers/receiver.ts';
import { SpanFileWriter } from '../receivers/span-file-writer.ts';
import { startEvaluateRole } from '../service/evaluate-role.ts';
import { startIngestRole } from '../service/ingest-role.ts';
import { type RunningService, type ServiceOptions, startService } from '../service.ts';
import { createTelemetry, type RunningTelemetry } from '../telemetry/create-telemetry.ts';
import { httpUrl } from './api-client.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { VERSION } from './package-version.ts';
import { ROLES, type Role, serveBanner } from './serve-banner.ts';

interface ServeOptions {
  readonly config: string;
  readonly role: Role;
  readonly record?: string;
  readonly advertisedUrl?: string;
}

const EXAMPLES = `Examples:
  slipstream serve --config config/local.yaml
  slipstream serve --config config/local.yaml --record spans.binpb    # keep every request for a replay
  slipstream serve --config slipstream.yaml --role ingest             # one of several that count spans
  slipstream serve --config slipstream.yaml --role evaluate           # one of several that judge what was counted
`;

/** Something is wrong that nobody foresaw: the supervisor starts us anew (sysexits.h, EX_SOFTWARE). */
const EXIT_SOFTWARE = 70;

export const addServe: AddCommand = (program, context, act) => {
  program
    .command('serve')
    .description('take spans, evaluate objectives, judge rollouts and send signals')
    .addHelpText('before', EXAMPLES)
    .requiredOption('-c, --config <file>', 'the process file; it names the SLO files')
    .addOption(
      new Option(
        '--role <role>',
        'all: count and judge in one process; ingest: count, for others that judge; evaluate: judge what they counted (both need `kafka`)',
      )
        .choices(ROLES)
        .default('all'),
    )
    .option('--advertised-url <url>', 'by which other members reach the API of this one; wins over `api.advertisedUrl`', httpUrl)
    .option('--record <file>', 'append every accepted request to a file that `replay` reads (role all)')
    .action(act((options: ServeOptions) => serve(context, options)));
};

async function serve(context: CliContext, options: ServeOptions): Promise<ExitCode> {
  const { env, streams } = context;
  if (options.record !== undefined && options.role !== 'all') {
    streams.stderr.write(`--record needs the role all, and not ${options.role}\n`);
    return EXIT.failed;
  }
  const loaded = loadConfig(options.config, env);
  if ('problems' in loaded) {
    streams.stderr.write(renderProblems(loaded.problems));
    return EXIT.failed;
  }
  const { warnings } = loaded;
  const { advertisedUrl = loaded.config.api.advertisedUrl } = options;
  const config: Config = { ...loaded.config, api: { ...loaded.config.api, advertisedUrl } };
  const telemetry = await createTelemetry({ logLevel: config.telemetry.logLevel, destination: streams.stdout, env, version: VERSION });
  const listeners = new ProcessListeners();
  dieOfSurprises(telemetry, listeners);
  // From now on: as PID 1 of a container nobody would hear a signal that comes while it starts, and after its grace period the pod is killed undrained.
  const stopped = stopSignal(listeners);
  try {
    const recorder = options.record === undefined ? null : await SpanFileWriter.open(options.record);
    try {
      const service = await start(options.role, {
        config,
        telemetry,
        version: VERSION,
        out: streams.stdout,
        ...(recorder !== null && { tap: recording(recorder, telemetry) }),
      });
      telemetry.set('config_last_reload_success', 1);
      warn(telemetry, warnings);
      const { role } = options;
      telemetry.log.info(
        { ...service.addresses, role, config: options.config, revision: config.policies.revision },
        'slipstream is running',
      );
      streams.stderr.write(serveBanner({ role, addresses: service.addresses, config, env }));
      const watch = watchConfig({
        path: options.config,
        env,
        config,
        onChange: (result) => reload(service, telemetry, loaded.config, result),
      });
      listeners.add('SIGHUP', () => watch.look());
      await stopped;
      watch.stop();
      telemetry.log.info({}, 'stopping');
      const isSaved = await service.stop();
      if (isSaved) telemetry.log.info({}, 'stopped');
      else telemetry.log.error({}, 'stopped, but what came since the last checkpoint could not be saved');
      return isSaved ? EXIT.ok : EXIT.failed;
    } finally {
      await recorder?.close();
      if (recorder !== null && (recorder.dropped > 0 || recorder.error !== null))
        telemetry.log.error({ dropped: recorder.dropped }, 'the recording is not complete');
    }
  } finally {
    await telemetry.shutdown();
    listeners.remove();
  }
}

function start(role: Role, options: ServiceOptions): Promise<RunningService> {
  switch (role) {
    case 'all':
      return startService(options);
    case 'ingest':
      return startIngestRole(options);
    case 'evaluate':
      return startEvaluateRole(options);
    default:
      return role satisfies never;
  }
}

/** The recording is a side line: what cannot be written is told of once, and spans are taken all the same. */
function recording(recorder: SpanFileWriter, telemetry: RunningTelemetry) {
  let isTold = false;
  return (encoding: SpanEncoding, bytes: Uint8Array): void => {
    if (recorder.write(encoding, bytes) || isTold) return;
    isTold = true;
    telemetry.log.error({ error: recorder.error ?? 'the disk is too slow' }, 'requests are missing in the recording');
  };
}

function warn(telemetry: RunningTelemetry, warnings: readonly Problem[]): void {
  if (warnings.length > 0)
    telemetry.log.warn({ warnings: renderProblems(warnings, 'warning') }, 'the configuration says what is hardly meant');
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
  const needsRestart = (['receivers', 'kafka', 'api', 'state', 'histogram', 'series', 'sinks', 'watchdog', 'telemetry'] as const).filter(
    (part) => !isDeepStrictEqual(plain(fixedPart(first, part)), plain(fixedPart(result.config, part))),
  );
  telemetry.log.info({ revision: result.config.policies.revision }, 'configuration reloaded');
  warn(telemetry, result.warnings);
  if (needsRestart.length > 0) telemetry.log.warn({ needsRestart }, 'these parts of the new configuration are in use after a restart only');
}

/** Tokens of senders are taken up at once, unless none were asked for before or none are now. */
function fixedPart(config: Config, part: keyof Config): unknown {
  if (part !== 'receivers') return config[part];
  return { ...config.receivers, tokens: config.receivers.tokens !== null };
}

/** With secrets as they are: two of them look alike. To be compared and nothing else. */
function plain(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (value instanceof RegExp) return value.source;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(listeners: ProcessListeners): Promise<void> {
  const stop = Promise.withResolvers<void>();
  let asked = false;
  const onStop = (): void => {
    if (asked) process.exit(EXIT.failed);
    asked = true;
    stop.resolve();
  };
  listeners.add('SIGTERM', onStop);
  listeners.add('SIGINT', onStop);
  return stop.promise;
}

function dieOfSurprises(telemetry: RunningTelemetry, listeners: ProcessListeners): void {
  const die = (error: unknown): void => {
    telemetry.log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'unforeseen failure; exiting');
    process.exit(EXIT_SOFTWARE);
  };
  listeners.add('uncaughtException', die);
  listeners.add('unhandledRejection', die);
}

/** What was added is taken away again when the command is over: the process may have other things to do. */
class ProcessListeners {
  readonly #added: [string, (...given: unknown[]) => void][] = [];

  add(event: string, listener: (...given: unknown[]) => void): void {
    process.on(event, listener);
    this.#added.push([event, listener]);
  }

  remove(): void {
    for (const [event, listener] of this.#added.splice(0)) process.off(event, listener);
  }
}
