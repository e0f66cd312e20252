/** Runs aggregate and window under load and prints what it took, as JSON; a program of its own so that memory is its own. */
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import { SeriesTable } from '../../src/aggregate/series-table.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import { ObservationBatch } from '../../src/model/observation-batch.ts';
import { SlidingWindow } from '../../src/window/sliding-window.ts';
import type { MemoryLoad } from './memory.ts';

const SERIES = 10_000;
const SERVICES = 100;
const SPANS_PER_SECOND = 20_000;
const SECONDS = Number(process.argv[2] ?? 600);
const BATCH = 512;
const CHECKPOINT_SECONDS = 10;
const T0 = 1_800_000_000_000;

const bareRss = process.memoryUsage.rss();
const layout = new HistogramLayout();
const table = new SeriesTable({
  maxTotal: SERIES * 2,
  maxReleasesPerService: 10,
  maxSeriesOf: () => 1000,
  thresholdsOf: () => [300_000_000],
  isReserved: () => false,
});
const ids: number[] = [];
for (let service = 0; service < SERVICES; service++) {
  const resource = table.resource({ service: `service-${service}`, releaseAttributes: new Map([['service.version', '1']]) });
  for (let i = 0; i < SERIES / SERVICES; i++) {
    const name = new TextEncoder().encode(`GET /api/v1/endpoint-${i}/{id}`);
    ids.push(table.series(resource, 0, name, 0, name.length, 0, name, 0, 0));
  }
}
const aggregator = new Aggregator(table, layout, { source: 'bench', epoch: '1', capacity: 65_536 });
const window = new SlidingWindow({ layout });
const batch = new ObservationBatch(BATCH);
let state = 88172645;
let spentNs = 0n;
let worstAdvanceMs = 0;

function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

for (let second = 0; second < SECONDS; second++) {
  for (let done = 0; done < SPANS_PER_SECOND; ) {
    batch.clear();
    for (let i = 0; i < BATCH && done < SPANS_PER_SECOND; i++, done++) {
      // Log-normal around 40 ms; spans of a batch end within the last five seconds, as an SDK exports them.
      const normal = random() + random() + random() + random() - 2;
      const durationNs = 40e6 * Math.exp(normal * 1.2);
      const endMs = T0 + second * 1000 + (done / SPANS_PER_SECOND) * 1000 - random() * 5000;
      batch.add(ids[Math.floor(random() * SERIES)] as number, endMs, durationNs, random() < 0.01 ? 1 : 0, 1);
    }
    const start = process.hrtime.bigint();
    aggregator.append(batch);
    spentNs += process.hrtime.bigint() - start;
  }
  const start = process.hrtime.bigint();
  window.merge(aggregator.flush());
  const merged = process.hrtime.bigint();
  window.advance(T0 + (second + 1) * 1000);
  const advanced = process.hrtime.bigint();
  spentNs += advanced - start;
  worstAdvanceMs = Math.max(worstAdvanceMs, Number(advanced - merged) / 1e6);
  if (second % CHECKPOINT_SECONDS === 0) window.checkpoint();
}
const spans = SPANS_PER_SECOND * SECONDS;
const load: MemoryLoad = {
  series: SERIES,
  spans,
  bareRss,
  peakRss: process.resourceUsage().maxRSS * 1024,
  slotBytes: window.byteLength,
  nsPerSpan: Number(spentNs) / spans,
  worstAdvanceMs,
};
process.stdout.write(`${JSON.stringify(load)}\n`);
