/** The topic of deltas: how long it keeps them, and which of its partitions a service belongs to. */
import type { DurationMs } from '../../model/time.ts';

/** Long enough for a weekend without members; what is older was judged, or is told of as lost. */
export const DELTA_RETENTION_MS: DurationMs = 3 * 24 * 3_600_000;

const SEED = 0x9747b28c;
const FACTOR = 0x5bd1e995;

/**
 * As Kafka's default partitioner has it for a record whose key is the service's name, so that other producers and tools agree.
 * Source: Kafka, `Utils.murmur2` and `BuiltInPartitioner.partitionForKey`. `partitions` is at least 1.
 */
export function deltaPartition(service: string, partitions: number): number {
  return (murmur2(Buffer.from(service, 'utf8')) & 0x7fffffff) % partitions;
}

/** A 32-bit hash, signed. */
export function murmur2(bytes: Buffer): number {
  const whole = bytes.length & ~3;
  let hash = SEED ^ bytes.length;
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), FACTOR);
    word = Math.imul(word ^ (word >>> 24), FACTOR);
    hash = Math.imul(hash, FACTOR) ^ word;
  }
  if (bytes.length > whole) {
    for (let at = bytes.length - 1; at >= whole; at--) hash ^= (bytes[at] as number) << (8 * (at - whole));
    hash = Math.imul(hash, FACTOR);
  }
  hash = Math.imul(hash ^ (hash >>> 13), FACTOR);
  return hash ^ (hash >>> 15);
}
