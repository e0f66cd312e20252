/** `memory-load.ts SECONDS RUNS`: both stages and the store under load; prints what it took, as JSON. Its own program, so that memory is its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countBuffersInHeapLimits } from '../../src/cli/heap-limits.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { Stages } from '../../src/service/stages.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import { seededRandom } from '../demo/random.ts';
import { policies } from '../support/policies.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';
import { objectivesFor, SERVICES } from './engine-load.ts';
import type { MemoryLoad } from './memory.ts';
import { spanRequestInput } from './otlp-payload.ts';
import { TimedRequest } from './timed-request.ts';

const ENDPOINTS = 50;
const RELEASES = ['1.0', '1.1'] as const;
/** Of each release of each service in each second: 20,000 in all. */
const SPANS = 100;
const [SECONDS = 600, RUNS = 0] = process.argv.slice(2).map(Number);
const VARIANTS = 8;
/** Spans of a request end within so long, as an SDK exports them. */
const SPREAD_MS = 5000;
const RUNS_FROM = 10;
const CHECKPOINT_SECONDS = 5;
const T0 = 1_800_000_000_000;
const NAME = 'service-00';

countBuffersInHeapLimits();
const random = seededRandom(1);
const requests = Array.from({ length: VARIANTS }, (_, seed) => {
  const resourceSpans = RELEASES.flatMap((release) => {
    const options = { spans: SPANS, spansPerResource: SPANS, pods: 1, endpoints: ENDPOINTS, nowMs: T0, seed, service: NAME, release };
    return spanRequestInput(options).resourceSpans ?? [];
  });
  const request = new TimedRequest({ resourceSpans });
  const nameAt = RELEASES.map((_release, i) => indexOfNth(request.bytes, NAME, i));
  return { request, nameAt };
});
const serviceName = (index: number): string => `shop/service-${String(index).padStart(2, '0')}`;
const { digits, highestUs } = new HistogramLayout();
globalThis.gc?.();
const bareRss = process.memoryUsage.rss();

const { ingest, engine } = new Stages({
  config: {
    histogram: { digits, highestUs },
    series: { maxTotal: 20_000, maxReleasesPerService: 20 },
    spans: TEST_SPAN_RULES,
    policies: policies({ objectives: objectivesFor(serviceName), maxSeries: 500 }),
  },
  source: 'bench',
  epoch: '1',
  hashSeed: 1,
});
const folder = mkdtempSync(join(tmpdir(), 'slipstream-memory-'));
const store = new SqliteStore(folder);
let spans = 0;
let spentMs = 0;
let worstTurnMs = 0;

for (let second = 0; second < SECONDS; second++) {
  for (let service = 0; service < SERVICES; service++) {
    const now = T0 + second * 1000 + (service / SERVICES) * 1000;
    const { request, nameAt } = requests[(second + service) % VARIANTS] as (typeof requests)[number];
    request.stamp(now, SPREAD_MS, () => 0.25 + 1.5 * random());
    for (const at of nameAt) request.bytes.write(String(service).padStart(2, '0'), at + NAME.length - 2, 'latin1');
    const begun = performance.now();
    const outcome = ingest.consume('protobuf', request.bytes, now);
    if (outcome.kind !== 'accepted' || outcome.rejected > 0) throw new Error(JSON.stringify(outcome));
    spans += outcome.accepted;
    if (ingest.flushDue()) {
      const turned = performance.now();
      engine.merge(ingest.flush());
      engine.advance(now);
      worstTurnMs = Math.max(worstTurnMs, performance.now() - turned);
    }
    spentMs += performance.now() - begun;
  }
  const now = T0 + (second + 1) * 1000;
  if (second === RUNS_FROM) startRuns(now);
  if (second % CHECKPOINT_SECONDS === 0) store.checkpoint(engine.checkpoint(now, 'bounded'));
}
store.close();
rmSync(folder, { recursive: true });
const load: MemoryLoad = {
  series: ingest.table.size,
  spans,
  bareRss,
  peakRss: process.resourceUsage().maxRSS * 1024,
  slotBytes: engine.window.byteLength,
  nsPerSpan: (spentMs / spans) * 1e6,
  worstTurnMs,
};
process.stdout.write(`${JSON.stringify(load)}\n`);

function startRuns(now: number): void {
  const [baseline, canary] = RELEASES;
  for (let i = 0; i < RUNS; i++) {
    const releases = { baseline: { 'service.version': baseline }, canary: { 'service.version': canary } };
    const { kind } = engine.startRollout({ service: serviceName(i), ...releases, generation: 1 }, now);
    if (kind !== 'started') throw new Error(`a run was not started: ${kind}`);
  }
}

function indexOfNth(bytes: Buffer, text: string, n: number): number {
  let at = bytes.indexOf(text);
  for (let i = 0; i < n; i++) at = bytes.indexOf(text, at + 1);
  if (at < 0) throw new Error(`${text} is not in the request so often`);
  return at;
}
