/** Recordings of load tests: a seeded world of pods, counted in memory or written to a file in every format that is read. */
import { writeFileSync } from 'node:fs';
import { withTolerances } from '../../src/cli/compare-options.ts';
import { Recording } from '../../src/engine/recording.ts';
import { compareRecordings } from '../../src/engine/recording-comparison.ts';
import { Ingest } from '../../src/ingest.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { CanaryPolicy } from '../../src/model/policy.ts';
import type { RecordingComparison } from '../../src/model/recorded-comparison.ts';
import { SpanFileWriter } from '../../src/receivers/span-file-writer.ts';
import { canaryPolicy } from '../evaluate/policy.ts';
import { type Pods, World } from '../scenarios/world.ts';
import { TEST_SPAN_RULES } from './span-rules.ts';

const LAYOUT = new HistogramLayout();
const ANY_TIME = { maxSkewMs: Number.POSITIVE_INFINITY, maxAgeMs: Number.POSITIVE_INFINITY };

/** One release of a shop under a steady load. */
export function shop(change: Partial<Pods> = {}): Pods {
  return { service: 'shop', version: '1', rate: 200, endpoints: { 'GET /cart': 3, 'POST /checkout': 1 }, ...change };
}

/** The bytes of the requests in which the spans arrive. */
export function requestsOf(pods: readonly Pods[], seconds: number, seed: number): Uint8Array<ArrayBuffer>[] {
  return [...new World(pods, seed).until(seconds)].map(({ bytes }) => bytes);
}

/** Counted as `slipstream compare` counts a file; flushed after every `flushEvery` requests. */
export function recordingOf(
  requests: Iterable<Uint8Array>,
  flushEvery = 50,
  recording = new Recording(LAYOUT),
  maxSeries = 500,
): Recording {
  const ingest = new Ingest({
    rules: { ...TEST_SPAN_RULES, ...ANY_TIME },
    layout: LAYOUT,
    source: 'test',
    epoch: 'test',
    series: {
      maxTotal: 10_000,
      maxReleasesPerService: 20,
      nameBytes: 256,
      hashSeed: 0,
      maxSeriesOf: () => maxSeries,
      thresholdsOf: () => [],
      isReserved: () => false,
    },
  });
  let taken = 0;
  for (const bytes of requests) {
    ingest.consume('protobuf', bytes, 0);
    if (++taken % flushEvery === 0) recording.add(ingest.flush());
  }
  recording.add(ingest.flush());
  return recording;
}

/** A minute of the shop, or of what is given. */
export function recorded(pods: Pods | readonly Pods[], seed: number, seconds = 60): Recording {
  return recordingOf(requestsOf([pods].flat() as readonly Pods[], seconds, seed));
}

export const TEN_PERCENT: CanaryPolicy = withTolerances(canaryPolicy(), { failAbove: 0.1 });

export function compared(
  baseline: Recording,
  candidate: Recording,
  change: { readonly policy?: CanaryPolicy; readonly service?: string; readonly alpha?: number } = {},
): RecordingComparison {
  const { policy = TEN_PERCENT, service = null, alpha = 0.01 } = change;
  return compareRecordings({ baseline, candidate, policyOf: () => policy, layout: LAYOUT, service, alpha });
}

/** As `serve --record` writes it. */
export async function recordedFile(path: string, requests: Iterable<Uint8Array>): Promise<string> {
  const writer = await SpanFileWriter.open(path);
  for (const bytes of requests) writer.write('protobuf', bytes);
  await writer.close();
  return path;
}

/** One request of spans as OTLP/JSON. */
export interface JsonSpan {
  readonly endpoint: string;
  readonly endMs: number;
  readonly durationMs: number;
  readonly failed?: boolean;
}

/** As the Collector's file exporter writes it: JSON lines. */
export function jsonLinesFile(path: string, service: string, batches: readonly (readonly JsonSpan[])[]): string {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const nanoseconds = (ms: number) => String(BigInt(Math.round(ms * 1000)) * 1000n);
  let n = 0;
  const span = ({ endpoint, endMs, durationMs, failed = false }: JsonSpan) => {
    const [method = '', route = ''] = endpoint.split(' ');
    n++;
    return {
      traceId: n.toString(16).padStart(32, '0'),
      spanId: n.toString(16).padStart(16, '0'),
      name: endpoint,
      kind: 2,
      startTimeUnixNano: nanoseconds(endMs - durationMs),
      endTimeUnixNano: nanoseconds(endMs),
      attributes: [attribute('http.request.method', method), attribute('http.route', route)],
      status: failed ? { code: 2 } : {},
    };
  };
  const lines = batches.map((spans) =>
    JSON.stringify({
      resourceSpans: [{ resource: { attributes: [attribute('service.name', service)] }, scopeSpans: [{ spans: spans.map(span) }] }],
    }),
  );
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}
