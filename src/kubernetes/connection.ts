/** Where the API server is and who we are to it: address, certificates and token, as they are on disk now. */
import { open, stat } from 'node:fs/promises';
import { Agent } from 'undici';
import { Secret } from '../config/secret.ts';
import type { KubernetesConfig } from '../config/sink-config.ts';
import { PermanentError, RetryableError } from '../model/errors.ts';

const MAX_TOKEN_BYTES = 65_536;
const MAX_CA_BYTES = 2 ** 20;
/** Requests under way at once, watches aside. */
const MAX_CONNECTIONS = 8;
const IDLE_MS = 30_000;
const MAX_HEADER_BYTES = 16_384;

type Environment = Readonly<Record<string, string | undefined>>;

/** The address of the API server, without a slash at the end. Throws PermanentError when neither configuration nor environment has one. */
export function apiServerUrl(config: Pick<KubernetesConfig, 'server'>, env: Environment): string {
  if (config.server !== null) return config.server.replace(/\/+$/, '');
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = env;
  if (host === '') {
    const expected = 'expected `kubernetes.server`, or KUBERNETES_SERVICE_HOST as in a pod';
    throw new PermanentError('no_api_server', `reaching the Kubernetes API server: no address is known; ${expected}`);
  }
  return `https://${host.includes(':') ? `[${host}]` : host}:${port === '' ? '443' : port}`;
}

export interface Agents {
  /** For requests that end soon. */
  readonly calls: Agent;
  /** Each watch holds a connection. */
  readonly watches: Agent;
}

/** Certificates are looked at before each request and read when their file changed; connections made with the old ones end with what runs on them. */
export class Connection {
  readonly url: string;
  readonly #tokenFile: string | null;
  readonly #caFile: string | null;
  #agents: Agents | null = null;
  #caSeen = '';

  constructor(config: KubernetesConfig, env: Environment) {
    this.url = apiServerUrl(config, env);
    this.#tokenFile = config.tokenFile;
    this.#caFile = config.caFile;
  }

  /** Throws RetryableError `credentials` when the file cannot be read or holds no token: it may be written yet. */
  async token(): Promise<Secret | null> {
    if (this.#tokenFile === null) return null;
    const token = (await readSmall(this.#tokenFile, MAX_TOKEN_BYTES)).trim();
    // What cannot stand in a header would be shown by the error that says so.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new RetryableError('credentials', `reading ${this.#tokenFile}: it holds no token`);
    return new Secret(token);
  }

  async agents(): Promise<Agents> {
    if (this.#caFile === null) {
      this.#agents ??= agentsFor(undefined);
      return this.#agents;
    }
    const { mtimeMs, size, ino } = await stat(this.#caFile).catch((cause) => unreadable(this.#caFile ?? '', cause));
    const seen = `${mtimeMs} ${size} ${ino}`;
    if (this.#agents === null || seen !== this.#caSeen) {
      const ca = await readSmall(this.#caFile, MAX_CA_BYTES);
      const old = this.#agents;
      this.#agents = agentsFor(ca);
      this.#caSeen = seen;
      // Watches go on until the server ends them.
      for (const agent of old === null ? [] : [old.calls, old.watches]) agent.close().catch(() => undefined);
    }
    return this.#agents;
  }

  async close(): Promise<void> {
    const agents = this.#agents;
    if (agents !== null) await Promise.all([agents.calls.destroy(), agents.watches.destroy()]);
  }
}

function agentsFor(ca: string | undefined): Agents {
  const shared = {
    // Said in words, so that no variable of the environment turns verification off.
    connect: { ...(ca !== undefined && { ca }), rejectUnauthorized: true, minVersion: 'TLSv1.2' as const, timeout: 10_000 },
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Time limits are those of whole calls.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  return { calls: new Agent({ ...shared, connections: MAX_CONNECTIONS }), watches: new Agent(shared) };
}

async function readSmall(path: string, maxBytes: number): Promise<string> {
  const file = await open(path).catch((cause) => unreadable(path, cause));
  try {
    const buffer = Buffer.alloc(maxBytes + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0).catch((cause) => unreadable(path, cause));
    if (bytesRead > maxBytes) throw new RetryableError('credentials', `reading ${path}: longer than ${maxBytes} bytes`);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function unreadable(path: string, cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'cannot be read';
  throw new RetryableError('credentials', `reading ${path}: ${code}`, { cause });
}
