/** The chart installed by helm in a namespace whose pods run, and what is asked of it from outside. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportRequest, type Stream } from '../../../service/traffic.ts';
import { HELM_TOOLS, helmIn } from '../../../tools/helm.ts';
import type { Toolset } from '../../../tools/toolset.ts';
import { OWN_REPOSITORY, type Pods } from './describe-pods.ts';

const CHART = join(import.meta.dirname, '../../../../charts/slipstream');
const HELM_TIMEOUT_S = 40;
const CALL_MS = 20_000;
/** So that nobody waits: seconds where a person would take ten. */
const QUICK = {
  image: { repository: OWN_REPOSITORY, tag: 'test' },
  preStopSeconds: 1,
  terminationGracePeriodSeconds: 15,
  startupProbe: { periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 60 },
  readinessProbe: { periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 2 },
};

export interface Said {
  readonly stdout: string;
  /** Helm passes the server's warnings on here. */
  readonly stderr: string;
}

export class HelmRelease {
  readonly name: string;
  readonly namespace: string;
  readonly #pods: Pods;
  readonly #helm: string;
  /** The Service that takes spans. */
  #receivers: string;
  readonly #urls = new Map<string, Promise<string>>();
  #writes = 0;

  private constructor(name: string, namespace: string, pods: Pods, helm: string) {
    this.name = name;
    this.namespace = namespace;
    this.#pods = pods;
    this.#helm = helm;
    this.#receivers = this.fullName;
  }

  /** In a new namespace; nothing is installed yet. */
  static async prepare(pods: Pods, directory: (of: Toolset) => string, name = 'judge'): Promise<HelmRelease> {
    const namespace = await pods.cluster.namespace();
    pods.kubelet.serve(namespace);
    return new HelmRelease(name, namespace, pods, helmIn(directory(HELM_TOOLS)));
  }

  get fullName(): string {
    return `${this.name}-slipstream`;
  }

  get root(): string {
    return `/api/v1/namespaces/${this.namespace}`;
  }

  install(values: object): Promise<Said> {
    return this.#withValues('install', values);
  }

  upgrade(values: object): Promise<Said> {
    return this.#withValues('upgrade', values);
  }

  /** Any command, which gets the namespace; throws with what was said when it fails. */
  helm(...args: readonly string[]): Promise<Said> {
    const { cluster, kubelet } = this.#pods;
    const home = join(cluster.folder, 'helm');
    const env = {
      PATH: process.env.PATH,
      KUBECONFIG: cluster.kubeconfig,
      HELM_CACHE_HOME: home,
      HELM_CONFIG_HOME: home,
      HELM_DATA_HOME: home,
      KUBECACHEDIR: home,
    };
    return new Promise((resolve, reject) => {
      const all = [...args, '--namespace', this.namespace];
      execFile(this.#helm, all, { env, timeout: (HELM_TIMEOUT_S + 10) * 1000, maxBuffer: 2 ** 24 }, async (error, stdout, stderr) => {
        if (error === null) return resolve({ stdout, stderr });
        const logs = await Promise.all(
          kubelet.pods(this.namespace).map(({ pod }) => kubelet.log(this.namespace, pod.metadata.name).then((log) => log.slice(-3000))),
        );
        reject(new Error(`helm ${args.slice(0, 2).join(' ')}: ${stderr}${stdout}\n${kubelet.problems()}\n${logs.join('\n')}`));
      });
    });
  }

  /** The answer of the API through the Service, as JSON; waits until a pod is there to ask. */
  async json(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await this.ask('http', path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async ask(port: 'http' | 'otlp-http', path: string, init: RequestInit = {}): Promise<Response> {
    const url = await this.url(port, port === 'http' ? this.fullName : this.#receivers);
    return fetch(url + path, { ...init, headers: { ...init.headers, connection: 'close' }, signal: AbortSignal.timeout(CALL_MS) });
  }

  /** As a command that changes something is asked for: with the token of the chart's Secret. */
  async post(path: string, body: object): Promise<Response> {
    const secret = await this.#pods.cluster.must('GET', `${this.root}/secrets/${this.fullName}-api-token`);
    const token = Buffer.from(secret.data.token, 'base64').toString();
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    return this.ask('http', path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** Sends [fromMs, toMs) one second a request; true when all of it was acknowledged. */
  async send(fromMs: number, toMs: number, streams: readonly Stream[]): Promise<boolean> {
    for (let at = fromMs; at < toMs; at += 1000) {
      const { body } = exportRequest(at, Math.min(at + 1000, toMs), streams);
      const headers = { 'content-type': 'application/json' };
      const response = await this.ask('otlp-http', '/v1/traces', { method: 'POST', headers, body: JSON.stringify(body) });
      if (!response.ok || (await response.text()) !== '{}') return false;
    }
    return true;
  }

  url(port: 'http' | 'otlp-http' | 'otlp-grpc', service = this.fullName): Promise<string> {
    const key = `${service}:${port}`;
    const known = this.#urls.get(key) ?? this.#pods.kubelet.forward(this.namespace, service, port).then(({ url }) => url);
    this.#urls.set(key, known);
    return known;
  }

  async #withValues(command: 'install' | 'upgrade', values: object): Promise<Said> {
    if ('mode' in values && values.mode === 'distributed') this.#receivers = `${this.fullName}-ingest`;
    const file = join(this.#pods.cluster.folder, `${this.namespace}-${++this.#writes}.json`);
    // Every JSON document is a YAML document.
    await writeFile(file, JSON.stringify({ ...QUICK, ...values }));
    return this.helm(command, this.name, CHART, '--values', file, '--wait', '--timeout', `${HELM_TIMEOUT_S}s`);
  }
}
