/** Parts of reading to the end: how far it is, one record, and who reads what. */
import kafkajs, { type KafkaMessage, type PartitionAssigner } from 'kafkajs';
import { type LogRecord, partitionName, type TopicPartition } from './log.ts';

const { AssignerProtocol } = kafkajs;

export type Take = (of: TopicPartition, record: LogRecord) => void;
export type Bounds = ReadonlyMap<string, { readonly start: number; readonly end: number }>;

/** How far each partition is read. */
export class Reading {
  readonly topics: string[];
  readonly #take: Take;
  readonly #left = new Map<string, { next: number; readonly end: number }>();
  /** Counts up with every step forward. */
  progress = 0;

  constructor(bounds: Bounds, partitions: readonly TopicPartition[], take: Take) {
    this.#take = take;
    for (const [name, { start, end }] of bounds) if (start < end) this.#left.set(name, { next: start, end });
    this.topics = topicsOf(partitions.filter((of) => this.#left.has(partitionName(of))));
  }

  get isDone(): boolean {
    return this.#left.size === 0;
  }

  /** Where it stands, for people. */
  get place(): string {
    return [...this.#left].slice(0, 3).map(([name, { next, end }]) => `${name} at ${next} of ${end}`).join(', '); // biome-ignore format: one thing
  }

  /** Records that were taken already come again after a rebalance. */
  record(of: TopicPartition, message: KafkaMessage): void {
    const left = this.#left.get(partitionName(of));
    const offset = Number(message.offset);
    if (left === undefined || offset < left.next || offset >= left.end) return;
    this.#take(of, recordOf(message, offset));
    left.next = offset + 1;
    this.progress++;
  }

  /** Up to here, also when that was no record for us; true when that is all. */
  passed(of: TopicPartition, lastOffset: number): boolean {
    const name = partitionName(of);
    const left = this.#left.get(name);
    if (left === undefined) return true;
    if (lastOffset >= left.next) {
      left.next = lastOffset + 1;
      this.progress++;
    }
    return left.next >= left.end && this.#left.delete(name);
  }
}

export function topicsOf(partitions: readonly TopicPartition[]): string[] {
  return [...new Set(partitions.map(({ topic }) => topic))];
}

function recordOf(message: KafkaMessage, offset: number): LogRecord {
  const { key, value, timestamp, headers } = message;
  const bytes: Record<string, Uint8Array> = {};
  for (const [name, one] of Object.entries(headers ?? {})) {
    const last = Array.isArray(one) ? one.at(-1) : one;
    if (last !== undefined) bytes[name] = typeof last === 'string' ? Buffer.from(last) : last;
  }
  return { offset, timestampMs: Math.min(Number(timestamp), Date.now()), key, value, headers: bytes };
}

/** One member, these partitions. */
export function only(partitions: readonly TopicPartition[]): PartitionAssigner {
  const wanted: Record<string, number[]> = {};
  for (const { topic, partition } of partitions) {
    wanted[topic] ??= [];
    wanted[topic].push(partition);
  }
  const name = 'only';
  const version = 0;
  return () => ({
    name,
    version,
    assign: async ({ members, topics }) => {
      const assignment = Object.fromEntries(topics.map((topic) => [topic, wanted[topic] ?? []]));
      return members.map(({ memberId }, index) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({ version, assignment: index === 0 ? assignment : {}, userData: NONE }),
      }));
    },
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics: [...topics], userData: NONE }),
    }),
  });
}

const NONE = Buffer.alloc(0);
