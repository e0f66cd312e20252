/** Metrics of a Slipstream that has met everything: each row of the table with plausible labels, served as a real one does. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TRAFFIC_BOUNDS_SEC } from '../../../src/engine/service-traffic.ts';
import { createTelemetry, METRICS_CONTENT_TYPE, type RunningTelemetry } from '../../../src/telemetry/create-telemetry.ts';
import { METRICS, type MetricName, type MetricRow } from '../../../src/telemetry/metric-table.ts';
import type { Scraped } from '../../../src/telemetry/scraped.ts';
import type { Labels } from '../../../src/telemetry/telemetry.ts';

/** Where queries ask for values, those; any other label has one of no meaning. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  arm: ['baseline', 'canary'],
  severity: ['page', 'ticket'],
  decision: ['continue', 'promote', 'hold', 'rollback'],
  state: ['running'],
  action: ['rollback'],
  disposition: ['counted', 'future'],
};

export class SaidEverything {
  readonly address: string;
  readonly #server: Server;
  readonly #telemetry: RunningTelemetry;
  readonly #timer: NodeJS.Timeout;

  private constructor(server: Server, telemetry: RunningTelemetry) {
    this.#server = server;
    this.#telemetry = telemetry;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#timer = setInterval(() => this.#say(), 200);
    let seconds = 0;
    telemetry.show(() => traffic(++seconds));
    this.#say();
  }

  static async start(): Promise<SaidEverything> {
    const telemetry = await createTelemetry({ logLevel: 'error', destination: { write: () => true }, env: {}, version: '0' });
    const server = createServer((_request, response) => {
      void telemetry.metricsText().then((text) => response.setHeader('content-type', METRICS_CONTENT_TYPE).end(text));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SaidEverything(server, telemetry);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#server.closeAllConnections();
    this.#server.close();
    await this.#telemetry.shutdown();
  }

  #say(): void {
    for (const [name, row] of Object.entries<MetricRow>(METRICS)) {
      const metric = name as MetricName;
      if (metric.startsWith('service_') || metric === 'build_info') continue;
      for (const labels of combinations(row.labels)) {
        if (row.kind === 'counter') this.#telemetry.add(metric, 1, labels);
        else if (row.kind === 'gauge') this.#telemetry.set(metric, 1, labels);
        else this.#telemetry.observe(metric, 0.002, labels);
      }
    }
  }
}

function traffic(seconds: number): readonly Scraped[] {
  const labels = { service: 'any' };
  return [
    { metric: 'service_requests_total', labels, value: 10 * seconds },
    { metric: 'service_request_failures_total', labels, value: seconds },
    {
      ...{ metric: 'service_request_duration_seconds', labels, bounds: TRAFFIC_BOUNDS_SEC, sum: seconds },
      counts: Array.from({ length: TRAFFIC_BOUNDS_SEC.length + 1 }, () => seconds),
    },
  ];
}

function combinations(labels: readonly string[]): Labels[] {
  return labels.reduce<Labels[]>(
    (sets, label) => sets.flatMap((set) => (VALUES[label] ?? ['any']).map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}
