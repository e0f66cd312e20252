/** One flush as records of the topic of deltas, none of them larger than brokers take. */
import type { OutRecord } from '../../kafka/out-record.ts';
import { type SlotDeltas, TRACE_BYTES } from '../../model/slot-deltas.ts';
import { encodeDeltas, type SeriesNames, type ServiceRecord } from '../../wire/encode-deltas.ts';
import { deltaPartition } from './delta-partition.ts';

/** Brokers refuse records of a little over a MB unless told otherwise (Kafka, `message.max.bytes`: 1,048,588); the rest is for key and framing. */
export const MAX_RECORD_BYTES = 900_000;

export interface DeltaTopic {
  readonly topic: string;
  readonly partitions: number;
}

/**
 * One record per service. Where one would be too large the rows of the flush are divided, and each part but the first is a source of its own
 * (`topic/partition#1`): flushes are told apart by their source, so that none of the parts is taken for a repetition of another.
 */
export function deltaRecords(
  deltas: SlotDeltas,
  names: SeriesNames,
  { topic, partitions }: DeltaTopic,
  maxBytes = MAX_RECORD_BYTES,
): OutRecord[] {
  return encodedParts(deltas, names, maxBytes).map(({ service, bytes }) => ({
    topic,
    partition: deltaPartition(service, partitions),
    key: service,
    value: bytes,
  }));
}

function encodedParts(deltas: SlotDeltas, names: SeriesNames, maxBytes: number): ServiceRecord[] {
  const { source } = deltas.origin;
  let parts = 0;
  const encoded = (from: number, to: number): readonly ServiceRecord[] => {
    const part = from === 0 && to === deltas.size ? deltas : rowRange(deltas, from, to);
    const named = parts === 0 ? part : { ...part, origin: { ...part.origin, source: `${source}#${parts}` } };
    const records = encodeDeltas(named, names);
    if (to - from > 1 && records.some(({ bytes }) => bytes.length > maxBytes)) {
      const middle = (from + to) >> 1;
      return [...encoded(from, middle), ...encoded(middle, to)];
    }
    parts++;
    return records;
  };
  return [...encoded(0, deltas.size)];
}

/** Rows [from, to) alone; what belongs to no row goes with the first one. */
function rowRange(deltas: SlotDeltas, from: number, to: number): SlotDeltas {
  const isFirst = from === 0;
  return {
    ...deltas,
    announced: isFirst ? deltas.announced : [],
    arrivals: isFirst ? deltas.arrivals : [],
    size: to - from,
    series: deltas.series.subarray(from, to),
    slot: deltas.slot.subarray(from, to),
    count: deltas.count.subarray(from, to),
    failed: deltas.failed.subarray(from, to),
    timed: deltas.timed.subarray(from, to),
    weight: deltas.weight.subarray(from, to),
    failedWeight: deltas.failedWeight.subarray(from, to),
    timedWeight: deltas.timedWeight.subarray(from, to),
    slowestNs: deltas.slowestNs.subarray(from, to),
    slowestTrace: deltas.slowestTrace.subarray(from * TRACE_BYTES, to * TRACE_BYTES),
    failedNs: deltas.failedNs.subarray(from, to),
    failedTrace: deltas.failedTrace.subarray(from * TRACE_BYTES, to * TRACE_BYTES),
    slowStart: deltas.slowStart.subarray(from, to + 1),
    cellStart: deltas.cellStart.subarray(from, to + 1),
  };
}
