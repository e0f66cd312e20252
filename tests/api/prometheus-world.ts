/** Known requests behind the Prometheus-compatible API on loopback, and a naive count of the same requests to hold answers against. */
import { createApi } from '../../src/api/create-api.ts';
import type { Objective } from '../../src/model/objective.ts';
import { metricSource } from '../../src/service/metric-source.ts';
import { Stages } from '../../src/service/stages.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { encodeRequest } from '../support/otlp-proto.ts';
import { policies } from '../support/policies.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';
import { MemoryService } from './memory-service.ts';
import { rememberingTelemetry } from './remembering-telemetry.ts';

export const START_SEC = 1_800_000_000;

export interface Served {
  /** End, in seconds; may carry a fraction. */
  readonly atSec: number;
  readonly durationMs: number;
  readonly failed?: boolean;
  readonly method?: string;
  readonly route?: string;
  readonly version?: string;
  readonly service?: string;
  /** More attributes of the resource. */
  readonly resource?: Readonly<Record<string, string>>;
  /** Spans it stands for: its sampling threshold says so. */
  readonly weight?: 1 | 2 | 4;
}

export interface Told {
  readonly status: number;
  readonly body: {
    readonly status: string;
    readonly data?: { readonly resultType: string; readonly result: unknown };
    readonly errorType?: string;
    readonly error?: string;
    readonly warnings?: readonly string[];
  };
}

const THRESHOLDS = { 1: '', 2: 'ot=th:8', 4: 'ot=th:c' } as const;

export class PrometheusWorld {
  readonly served: Served[];
  readonly stages: Stages;
  readonly store = new MemoryStore();
  nowMs: number;
  #address = '';
  #server: { stop(): Promise<void> } | null = null;

  /** Requests in order of their ends. Spans of one second are sent together, half a second after it is over. */
  constructor(served: readonly Served[], objectives: readonly Objective[] = []) {
    this.stages = new Stages({
      config: {
        histogram: { digits: 2, highestUs: 60_000_000 },
        series: { maxTotal: 1000, maxReleasesPerService: 10 },
        spans: { ...TEST_SPAN_RULES, releaseBy: [...TEST_SPAN_RULES.releaseBy, 'k8s.deployment.name'] },
        policies: policies({ objectives }),
      },
      source: 'test',
      epoch: '1',
      hashSeed: 1,
    });
    this.served = [...served].sort((a, b) => a.atSec - b.atSec);
    this.nowMs = START_SEC * 1000;
    const { ingest, engine } = this.stages;
    const bySecond = Map.groupBy(this.served, ({ atSec }) => Math.floor(atSec));
    for (const [second, requests] of bySecond) {
      this.nowMs = second * 1000 + 1500;
      ingest.consume('protobuf', encodeRequest({ resourceSpans: requests.map(resourceSpan) }), this.nowMs);
      if (ingest.flushDue()) engine.merge(ingest.flush());
      engine.advance(this.nowMs);
      if (second % 5 === 0) this.store.checkpoint(engine.checkpoint(this.nowMs));
    }
    this.settle();
  }

  settle(): void {
    const { ingest, engine } = this.stages;
    engine.merge(ingest.flush());
    engine.advance(this.nowMs);
    this.store.checkpoint(engine.checkpoint(this.nowMs));
  }

  async start(): Promise<void> {
    const clock = { now: () => this.nowMs, monotonicMs: () => performance.now() };
    const source = metricSource({ engine: this.stages.engine, store: this.store, clock });
    const service = Object.assign(new MemoryService(), { metricSource: source });
    const config = { host: '127.0.0.1', port: 0, publicUrl: null, token: null };
    const api = createApi(service, config, rememberingTelemetry().telemetry, () => this.nowMs);
    this.#server = api;
    this.#address = (await api.start()).address;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  get address(): string {
    return this.#address;
  }

  async ask(path: string, init: RequestInit = {}): Promise<Told> {
    const answer = await fetch(`${this.#address}${path}`, init);
    return { status: answer.status, body: (await answer.json()) as Told['body'] };
  }

  /** At the end of second `atSec`; without it now. */
  query(query: string, atSec?: number): Promise<Told> {
    const parameters = new URLSearchParams({ query, ...(atSec === undefined ? {} : { time: String(atSec) }) });
    return this.ask(`/api/v1/query?${parameters}`);
  }

  range(query: string, start: number, end: number, step: number | string): Promise<Told> {
    return this.ask(`/api/v1/query_range?${new URLSearchParams({ query, start: `${start}`, end: `${end}`, step: `${step}` })}`);
  }

  /** Samples of an answer by the text of their labels. */
  async values(query: string, atSec?: number): Promise<Record<string, number>> {
    return valuesOf(await this.query(query, atSec));
  }

  /** Requests that ended in [fromSec, toSec). */
  between(fromSec: number, toSec: number, which: (one: Served) => boolean = () => true): Served[] {
    return this.served.filter((one) => one.atSec >= fromSec && one.atSec < toSec && which(one));
  }
}

export function valuesOf({ status, body }: Told): Record<string, number> {
  if (status !== 200 || body.data === undefined) throw new RangeError(`${status}: ${JSON.stringify(body)}`);
  if (body.data.resultType === 'scalar') return { '': Number((body.data.result as [number, string])[1]) };
  const samples = body.data.result as { metric: Record<string, string>; value: [number, string] }[];
  return Object.fromEntries(samples.map(({ metric, value }) => [Object.values(metric).join(' '), numberOf(value[1])]));
}

export function numberOf(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

function resourceSpan(one: Served) {
  const {
    atSec,
    durationMs,
    failed = false,
    method = 'GET',
    route = '/cart',
    version = '1',
    service = 'shop',
    resource = {},
    weight = 1,
  } = one;
  const endNs = BigInt(Math.round(atSec * 1e6)) * 1000n;
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  return {
    resource: {
      attributes: Object.entries({ 'service.name': service, 'service.version': version, ...resource }).map(([key, value]) =>
        attribute(key, value),
      ),
    },
    scopeSpans: [
      {
        spans: [
          {
            name: `${method} ${route}`,
            kind: 2,
            startTimeUnixNano: endNs - BigInt(Math.round(durationMs * 1e6)),
            endTimeUnixNano: endNs,
            traceState: THRESHOLDS[weight],
            attributes: [attribute('http.request.method', method), attribute('http.route', route)],
            status: { code: failed ? 2 : 0 },
          },
        ],
      },
    ],
  };
}
