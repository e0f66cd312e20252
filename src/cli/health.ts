/** `slipstream health`: whether a Slipstream is well, in one exit code; for containers, `helm test` and people. */
import { InvalidArgumentError, Option } from 'commander';
import { readiness } from '../api/schemas.ts';
import { type LocalListener, type LocalListeners, localListeners } from '../config/local-listeners.ts';
import { Secret } from '../config/secret.ts';
import { visible } from '../model/safe-text.ts';
import { type Probe, probeGrpc, probeHandshake, probeHttp, reachable } from '../receivers/otlp-probe.ts';
import { type ClientTls, type Fetch, fetchOver } from '../tls/client-tls.ts';
import { httpUrl, reachText, usualUrl } from './api-client.ts';
import { pemFile, withCaOption } from './ask-tls.ts';
import { type AddCommand, type CliContext, EXIT, type ExitCode } from './context.ts';
import { waitLength } from './option-values.ts';

interface HealthOptions {
  readonly config?: string;
  readonly url?: string;
  readonly ready?: true;
  readonly otlpGrpc?: string | true;
  readonly otlpHttp?: string | true;
  readonly cert?: string;
  readonly key?: string;
  readonly otlpTokenEnv?: string;
  readonly timeout: number;
}

const OTLP_TOKEN_ENV = 'SLIPSTREAM_OTLP_TOKEN';

const EXAMPLES = `Examples:
  slipstream health                                       is the process alive that listens on 127.0.0.1:8080?
  slipstream health --config slipstream.yaml --ready      does the process of this file take spans and judge?
  slipstream health --config slipstream.yaml --otlp-grpc --otlp-http      and do its receivers answer?
  slipstream health --url https://slipstream:8080 --ca ca.crt --ready --otlp-grpc slipstream:4317
`;

const CODES = `
Exit codes: 0 well, 1 not, or nobody answers; what is wrong is on standard output, one line each.
With \`--config\` the process is on this machine, and names in its certificates are not looked at.
`;

export const addHealth: AddCommand = (program, context, act) => {
  const command = program
    .command('health')
    .description('ask whether a Slipstream is well: alive, ready, and its receivers answering')
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', CODES)
    .addOption(new Option('-c, --config <file>', 'the process file of a Slipstream on this machine').conflicts('url'))
    .option('--url <url>', 'address of its API (or SLIPSTREAM_URL)', httpUrl)
    .option('--ready', 'ask whether it is ready, too: it has started, does not stop, and can save')
    .option('--otlp-grpc [host:port]', 'send its OTLP/gRPC receiver an empty request; https://host:port speaks TLS', otlpAddress)
    .option('--otlp-http [url]', 'send its OTLP/HTTP receiver an empty request', httpUrl)
    .option('--cert <file>', 'certificate (PEM) for receivers that ask senders for one')
    .option('--key <file>', 'its private key (PEM)')
    .option('--otlp-token-env <name>', `environment variable with the token of senders (default: ${OTLP_TOKEN_ENV})`)
    .option('--timeout <duration>', 'how long each answer may take', waitLength, 5000);
  withCaOption(command, context).action(act((options: HealthOptions) => health(context, options)));
};

async function health(context: CliContext, options: HealthOptions): Promise<ExitCode> {
  const { env, streams } = context;
  const local = options.config === undefined ? null : localListeners(options.config, env);
  const checks: Promise<readonly string[]>[] = [askApi(context, options, local)];
  for (const kind of ['grpc', 'http'] as const) {
    const wanted = kind === 'grpc' ? options.otlpGrpc : options.otlpHttp;
    if (wanted !== undefined) checks.push(askReceiver(context, options, { kind, wanted, local }));
  }
  const faults = (await Promise.all(checks)).flat();
  if (faults.length === 0) streams.stdout.write(`${options.ready === true ? 'ready' : 'healthy'}\n`);
  else streams.stdout.write(`${faults.map(visible).join('\n')}\n`);
  return faults.length === 0 ? EXIT.ok : EXIT.failed;
}

async function askApi(context: CliContext, options: HealthOptions, local: LocalListeners | null): Promise<readonly string[]> {
  const base = local === null ? (options.url ?? usualUrl(context)) : urlOf(local.api);
  const url = `${base}${options.ready === true ? '/readyz' : '/healthz'}`;
  if (local?.api.port === 0) return [`the API: its port is 0 in ${options.config}, which is any free one; name it with --url`];
  try {
    const answer = await fetcher(local)(url, { redirect: 'manual', signal: AbortSignal.timeout(options.timeout) });
    const body: unknown = await answer.json().catch(() => undefined);
    if (answer.ok) return [];
    const said = readiness.safeParse(body);
    return said.success ? said.data.reasons.map((reason) => `not ready: ${reason}`) : [`the API at ${url}: HTTP status ${answer.status}`];
  } catch (cause) {
    return [`the API at ${url}: ${reachText(cause, options.timeout)}`];
  }
}

/** Of a process on this machine names are not looked at: as a kubelet does. */
function fetcher(local: LocalListeners | null): Fetch {
  return local !== null && local.api.tls !== null ? fetchOver({ isChecked: false }) : fetch;
}

interface Asked {
  readonly kind: 'grpc' | 'http';
  /** True: the one of the process file. */
  readonly wanted: string | true;
  readonly local: LocalListeners | null;
}

async function askReceiver(context: CliContext, options: HealthOptions, asked: Asked): Promise<readonly string[]> {
  const name = asked.kind === 'grpc' ? 'OTLP/gRPC' : 'OTLP/HTTP';
  const target = asked.wanted === true ? localTarget(options, asked, asked.local) : remoteTarget(options, asked.wanted);
  if (typeof target === 'string') return [`${name}: ${target}`];
  const { address, path, tls, probe = asked.kind === 'grpc' ? probeGrpc : probeHttp } = target;
  const token = tokenIn(context, options, asked.local);
  const fault = await probe({ address, tls, token, timeoutMs: options.timeout, ...(path !== undefined && { path }) });
  return fault === null ? [] : [`${name} at ${address}: ${fault}`];
}

interface Target {
  readonly address: string;
  readonly path?: string;
  readonly tls: ClientTls | null;
  readonly probe?: Probe;
}

function localTarget(options: HealthOptions, { kind }: Asked, local: LocalListeners | null): Target | string {
  if (local === null)
    return `say where it listens: --otlp-${kind} ${kind === 'grpc' ? 'HOST:PORT' : 'URL'}, or name its process file with --config`;
  const listener = kind === 'grpc' ? local.otlpGrpc : local.otlpHttp;
  if (listener === null) return 'it is switched off in the process file';
  if (listener.port === 0) return 'its port is 0 in the process file, which is any free one; name it';
  const address = addressOf(listener);
  if (listener.tls === null) return { address, tls: null };
  const tls = { ...ownCertificate(options), isChecked: false };
  // Without a certificate of a sender more cannot be seen.
  return listener.tls.caFile !== null && options.cert === undefined ? { address, tls, probe: probeHandshake } : { address, tls };
}

function remoteTarget(options: HealthOptions, wanted: string): Target {
  const url = new URL(wanted.includes('://') ? wanted : `http://${wanted}`);
  const isSecure = url.protocol === 'https:';
  const address = `${url.hostname}:${url.port || (isSecure ? 443 : 80)}`;
  const tls = isSecure ? { ...ownCertificate(options), isChecked: true } : null;
  return { address, tls, ...(url.pathname !== '/' && { path: url.pathname }) };
}

function ownCertificate({ cert, key }: HealthOptions): Pick<ClientTls, 'cert' | 'key'> {
  return {
    ...(cert !== undefined && { cert: pemFile(cert, '--cert') }),
    ...(key !== undefined && { key: new Secret(pemFile(key, '--key')) }),
  };
}

function tokenIn({ env }: CliContext, { otlpTokenEnv }: HealthOptions, local: LocalListeners | null): Secret | null {
  const token = env[otlpTokenEnv ?? OTLP_TOKEN_ENV];
  return token === undefined || token === '' ? (local?.token ?? null) : new Secret(token);
}

function otlpAddress(text: string): string {
  const url = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || new URL(url).port === '')
    throw new InvalidArgumentError('It must be HOST:PORT, or https://HOST:PORT where it speaks TLS.');
  return text;
}

function addressOf({ host, port }: LocalListener): string {
  const bare = host.replace(/^\[|\]$/g, '');
  return reachable(`${bare.includes(':') ? `[${bare}]` : bare}:${port}`);
}

function urlOf(listener: LocalListener): string {
  return `${listener.tls === null ? 'http' : 'https'}://${addressOf(listener)}`;
}
