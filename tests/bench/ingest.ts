/** How fast stage A turns request bytes into slot deltas: decode, aggregate and flush on one core, beside protobufjs in the same run. */
import { getHeapStatistics } from 'node:v8';
import { decodeRequest } from '../support/otlp-proto.ts';
import type { Figure } from './figure.ts';
import { spanRequest } from './otlp-payload.ts';
import { benchStages } from './stage-a.ts';

const SPANS = 8192;
const REQUESTS = 4;
const NOW_MS = 1_790_000_000_000;
const WARM_UP_ROUNDS = 20;
const ROUNDS = 45;
/** The fastest third is averaged: other processes only ever slow a round down. */
const KEPT_SHARE = 1 / 3;

export async function benchIngest(): Promise<Figure[]> {
  const requests = Array.from({ length: REQUESTS }, (_, seed) => spanRequest({ spans: SPANS, nowMs: NOW_MS, seed }));
  const { ingest } = benchStages();
  const round = (): void => {
    for (const request of requests) {
      const outcome = ingest.consume('protobuf', request, NOW_MS);
      if (outcome.kind !== 'accepted' || outcome.accepted !== SPANS) throw new Error(JSON.stringify(outcome));
    }
    ingest.flush();
  };
  const library = (): void => void decodeRequest(requests[0] as Uint8Array);
  const ownNs: number[] = [];
  const libraryNs: number[] = [];
  const growths: number[] = [];
  for (let i = 0; i < WARM_UP_ROUNDS; i++) round();
  // In turn, so that both meet the same machine.
  for (let i = 0; i < ROUNDS; i++) {
    const before = getHeapStatistics().used_heap_size;
    ownNs.push(timed(round) / (SPANS * REQUESTS));
    growths.push((getHeapStatistics().used_heap_size - before) / (SPANS * REQUESTS));
    if (i % 5 === 0) libraryNs.push(timed(library) / SPANS);
  }
  const [own, other] = [fastest(ownNs), fastest(libraryNs)];
  return [
    { name: 'ingest/decode and aggregate', unit: 'spans/s', value: 1e9 / own, goal: '>= 1.5 M' },
    { name: 'ingest/decode and aggregate', unit: 'ns/span', value: own },
    { name: 'ingest/protobufjs decode alone', unit: 'spans/s', value: 1e9 / other },
    { name: 'ingest/times protobufjs', unit: 'ratio', value: other / own, goal: '>= 15' },
    {
      name: 'ingest/allocated',
      unit: 'bytes/span',
      value: Math.max(0, growths.sort((a, b) => a - b)[growths.length >> 1] as number),
      goal: '~ 0',
    },
  ];
}

function timed(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}

function fastest(times: number[]): number {
  const kept = times.toSorted((a, b) => a - b).slice(0, Math.max(1, Math.floor(times.length * KEPT_SHARE)));
  return kept.reduce((sum, time) => sum + time, 0) / kept.length;
}
