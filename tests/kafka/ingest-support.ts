/** What members of role `ingest` left in the topic of deltas, as somebody who judges would take it. */
import type { Kafka } from 'kafkajs';
import { partitionName, type TopicPartition } from '../../src/kafka/log.ts';
import { committedPositions, logBounds, readToEnd } from '../../src/kafka/log-reader.ts';
import { HistogramLayout } from '../../src/model/histogram-layout.ts';
import type { SeriesInfo } from '../../src/model/series.ts';
import type { ProgressReport } from '../../src/model/source-progress.ts';
import { Origins } from '../../src/window/origins.ts';
import { DeltaReader } from '../../src/wire/delta-reader.ts';
import { readProgress } from '../../src/wire/progress-record.ts';
import { kindOf } from '../../src/wire/record-kind.ts';
import { isWireError } from '../../src/wire/wire-error.ts';
import { MemoryTelemetry } from '../support/memory-telemetry.ts';
import type { Tally } from './fleet/numbered-spans.ts';

export const DELTAS = 'slipstream.deltas';
export const QUARANTINE = 'slipstream.quarantine';

/** As it is configured unless told. */
const LAYOUT = new HistogramLayout(2, 60_000_000);

export interface Handed {
  /** By `service release endpoint`. */
  readonly tallies: Map<string, Tally>;
  /** Records that a reader takes for repetitions of others. */
  repeated: number;
  /** Of each partition, in order. */
  readonly reports: ReadonlyMap<string, readonly ProgressReport[]>;
}

export function partitionsOf(topic: string, count: number): TopicPartition[] {
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }));
}

/** All that is committed by now. */
export async function handedOver(client: Kafka, partitions: number): Promise<Handed> {
  const tallies = new Map<string, Tally>();
  const reports = new Map<string, ProgressReport[]>();
  const handed: Handed = { tallies, repeated: 0, reports };
  const readers = new Map<string, { reader: DeltaReader; origins: Origins; infos: Map<number, SeriesInfo> }>();
  const take = (of: TopicPartition, bytes: Uint8Array): void => {
    const name = partitionName(of);
    if (kindOf(bytes) === 'progress') {
      const report = readProgress(bytes);
      if (isWireError(report)) throw new Error(JSON.stringify(report));
      reports.set(name, [...(reports.get(name) ?? []), report]);
      return;
    }
    const known = readers.get(name) ?? { reader: new DeltaReader({ layout: LAYOUT }), origins: new Origins(), infos: new Map() };
    readers.set(name, known);
    const deltas = known.reader.read(bytes);
    if (isWireError(deltas)) throw new Error(JSON.stringify(deltas));
    for (const info of deltas.announced) known.infos.set(info.id, info);
    if (!known.origins.admit(deltas.origin)) {
      handed.repeated++;
      return;
    }
    for (let row = 0; row < deltas.size; row++) {
      const info = known.infos.get(deltas.series[row] as number);
      if (info === undefined) throw new Error(`no series ${deltas.series[row]}`);
      const key = `${info.service} ${info.release.attributes.get('service.version')} ${info.endpoint}`;
      const tally = tallies.get(key) ?? { requests: 0, failed: 0 };
      tallies.set(key, tally);
      tally.requests += deltas.count[row] as number;
      tally.failed += deltas.failed[row] as number;
    }
  };
  await readToEnd(
    { client, telemetry: new MemoryTelemetry() },
    partitionsOf(DELTAS, partitions),
    (of, { value }) => take(of, value ?? new Uint8Array(0)),
    AbortSignal.timeout(30_000),
  );
  return handed;
}

/** Records of the topic that the group has yet to commit. */
export async function uncommitted(client: Kafka, groupId: string, of: readonly TopicPartition[]): Promise<number> {
  const [positions, bounds] = await Promise.all([committedPositions(client, groupId, of), logBounds(client, of)]);
  return of.reduce((sum, partition) => {
    const name = partitionName(partition);
    return sum + (bounds.get(name)?.end ?? 0) - (positions.get(name)?.offset ?? 0);
  }, 0);
}
