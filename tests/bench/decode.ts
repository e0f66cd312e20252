/** How fast request bytes become columns, next to a full decode by protobufjs in the same run. */
import { getHeapStatistics } from 'node:v8';
import { SpanDecoder } from '../../src/decode/decoder.ts';
import { ObservationBatch } from '../../src/model/observation-batch.ts';
import { decodeRequest } from '../support/otlp-proto.ts';
import { TEST_SPAN_RULES } from '../support/span-rules.ts';
import type { Figure } from './figure.ts';
import { FlatInterner } from './flat-interner.ts';
import { spanRequest } from './otlp-payload.ts';

const SPANS = 8192;
const REQUESTS = 4;
const NOW_MS = 1_790_000_000_000;
const WARM_UP_ROUNDS = 10;
const ROUNDS = 30;
/** Of as many rounds the fastest third is averaged: other processes only ever slow a round down. */
const KEPT = 3;

/** Decode into a batch and nothing else; one core. */
export async function benchDecode(): Promise<Figure[]> {
  const requests = Array.from({ length: REQUESTS }, (_, seed) => spanRequest({ spans: SPANS, nowMs: NOW_MS, seed }));
  const bytesPerSpan = requests.reduce((sum, request) => sum + request.length, 0) / (REQUESTS * SPANS);
  const batch = new ObservationBatch(SPANS);
  const decoder = new SpanDecoder(TEST_SPAN_RULES, new FlatInterner());
  const decodeAll = () => {
    for (const request of requests) {
      const error = decoder.decode('protobuf', request, NOW_MS, batch);
      if (error !== null || batch.size !== SPANS) throw new Error(`decoded ${batch.size} spans: ${error?.message}`);
    }
  };
  const ownNs = nsPerSpan(decodeAll, WARM_UP_ROUNDS, ROUNDS);
  const allocated = bytesAllocatedPerSpan(decodeAll);
  const oneRequest = requests[0] as Uint8Array;
  const libraryNs = nsPerSpan(() => decodeRequest(oneRequest), 1, 4) * REQUESTS;
  return [
    { name: 'decode/span size', unit: 'bytes', value: bytesPerSpan },
    { name: 'decode/throughput', unit: 'spans/s', value: 1e9 / ownNs },
    { name: 'decode/time', unit: 'ns/span', value: ownNs, goal: '<= 450' },
    { name: 'decode/protobufjs throughput', unit: 'spans/s', value: 1e9 / libraryNs },
    { name: 'decode/times protobufjs', unit: 'ratio', value: libraryNs / ownNs, goal: '>= 15' },
    { name: 'decode/allocated', unit: 'bytes/span', value: allocated, goal: '~ 0' },
  ];
}

/** `work` decodes REQUESTS requests. */
function nsPerSpan(work: () => void, warmUps: number, rounds: number): number {
  for (let i = 0; i < warmUps; i++) work();
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint();
    work();
    times.push(Number(process.hrtime.bigint() - start));
  }
  times.sort((a, b) => a - b);
  const kept = times.slice(0, Math.max(1, Math.floor(times.length / KEPT)));
  return kept.reduce((sum, time) => sum + time, 0) / kept.length / (REQUESTS * SPANS);
}

/** Growth of the heap over rounds without a collection: the least of several, because a collection in between hides some. */
function bytesAllocatedPerSpan(work: () => void): number {
  const growths: number[] = [];
  for (let i = 0; i < 9; i++) {
    const before = getHeapStatistics().used_heap_size;
    work();
    growths.push(getHeapStatistics().used_heap_size - before);
  }
  growths.sort((a, b) => a - b);
  return Math.max(0, growths[4] as number) / (REQUESTS * SPANS);
}
