/** A real Prometheus on loopback: it scrapes every second, runs the rules it is given, and answers queries. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program } from '../../cluster/rig/processes.ts';
import { freePort } from '../../support/free-ports.ts';

export interface PrometheusOptions {
  readonly binary: string;
  readonly folder: string;
  /** `host:port` of what is scraped at /metrics. */
  readonly targets: readonly string[];
  readonly ruleFiles: readonly string[];
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Time in seconds, and the value as text. */
  readonly value?: readonly [number, string];
}

export interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
  readonly query: string;
  readonly alerts: readonly {
    readonly state: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

const PATIENCE_MS = 10_000;
/** Labels that the Prometheus operator gives to targets of a ServiceMonitor. */
const OF_THE_OPERATOR = { namespace: 'slo', service: 'slipstream', pod: 'slipstream-0', container: 'slipstream', endpoint: 'http' };
/** Relabelings of the chart's ServiceMonitor: Prometheus would rename our own label `service`, as the target has one. */
export const OF_THE_CHART = [{ action: 'labeldrop', regex: 'service' }] as const;

export class PrometheusServer {
  readonly url: string;
  readonly folder: string;
  readonly #program: Program;

  private constructor(url: string, folder: string, program: Program) {
    this.url = url;
    this.folder = folder;
    this.#program = program;
  }

  static async start({ binary, folder, targets, ruleFiles }: PrometheusOptions): Promise<PrometheusServer> {
    const port = await freePort();
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ruleFiles,
      scrape_configs: [{ job_name: 'slipstream', static_configs: [{ targets, labels: OF_THE_OPERATOR }], relabel_configs: OF_THE_CHART }],
    };
    // JSON is YAML.
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const listen = `127.0.0.1:${port}`;
    const args = ['--config.file=prometheus.yml', `--web.listen-address=${listen}`, '--storage.tsdb.path=data', '--log.level=warn'];
    const program = await Program.start(binary, args, { folder, name: 'prometheus', memoryMiB: 256 });
    const server = new PrometheusServer(`http://${listen}`, folder, program);
    await program.until('ready', async () => (await server.#fetch('/-/ready')).ok);
    return server;
  }

  async stop(): Promise<void> {
    await this.#program.stop('SIGTERM');
  }

  /** Series of an instant query. Throws what Prometheus complains about. */
  async query(expr: string): Promise<readonly Sample[]> {
    return ((await this.#ask('/api/v1/query', { query: expr })) as { result: readonly Sample[] }).result;
  }

  /** Values of a label among the series that a selector matches. */
  async labelValues(label: string, selector: string): Promise<readonly string[]> {
    return (await this.#ask(`/api/v1/label/${label}/values`, { 'match[]': selector })) as readonly string[];
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = (await this.#ask('/api/v1/rules', {})) as { groups: readonly { readonly rules: readonly Rule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  async #ask(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const response = await this.#fetch(`${path}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { readonly status: string; readonly error?: string; readonly data?: unknown };
    if (answer.status !== 'success') throw new Error(`Prometheus: ${answer.error ?? answer.status}: ${parameters.query ?? path}`);
    return answer.data;
  }

  #fetch(path: string): Promise<Response> {
    return fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  }
}
