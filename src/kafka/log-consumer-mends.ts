/** Habits of kafkajs' consumers by which records get lost unseen, mended for those that ask for it. */
import { createRequire } from 'node:module';
import kafkajs, { type Assigner, type Cluster, type PartitionAssigner } from 'kafkajs';
import { mendAbortedRecords } from './aborted-records.ts';
import { partitionName, type TopicPartition } from './log.ts';
import { shares } from './log-consumer-shares.ts';

/** Hears that a partition was asked for an offset that its log does not have; has paused it when it returns. */
export type OutOfRange = (of: TopicPartition) => void;

const OUT_OF_RANGE = Symbol('out of range');
/** Members agree on it by name. */
const ASSIGNER = 'slipstream-shares';

type Marked = Assigner & { readonly [OUT_OF_RANGE]?: OutOfRange };

/** What kafkajs 2.2.4 has inside, as far as it is used here. */
interface Group {
  readonly assigners: readonly Marked[];
  hasSeekOffset(of: TopicPartition): boolean;
  recoverFromOffsetOutOfRange(error: TopicPartition): Promise<void>;
}
interface Runner {
  readonly consumerGroup: Group;
  handleBatch(batch: TopicPartition): Promise<void>;
}

let isMended = false;

/**
 * To be given to a consumer as its only assigner: it carries the mark by which the consumer is known as one of ours.
 * For those an offset out of range is told of instead of being replaced by the group's default (which kafkajs also commits), and a batch that was
 * fetched before a seek is dropped even when it holds nothing but aborted records, with which kafkajs would undo the seek.
 */
export function watchedAssigner(outOfRange: OutOfRange): PartitionAssigner {
  mend();
  return (config) => {
    const base = kafkajs.PartitionAssigners.roundRobin(config);
    return {
      ...base,
      name: ASSIGNER,
      protocol: (subscription) => ({ ...base.protocol(subscription), name: ASSIGNER }),
      assign: async ({ members, topics }) => {
        const all = topics.flatMap((topic) => partitionsOf(config.cluster, topic));
        const byName = new Map(all.map((of) => [partitionName(of), of]));
        const found = shares(
          members.map(({ memberId }) => memberId),
          [...byName.keys()],
        );
        return [...found].map(([memberId, names]) => ({
          memberId,
          memberAssignment: encode(names.flatMap((name) => byName.get(name) ?? [])),
        }));
      },
      [OUT_OF_RANGE]: outOfRange,
    };
  };
}

function partitionsOf(cluster: Cluster, topic: string): TopicPartition[] {
  // Not in the types of kafkajs 2.2.4, though its own assigner lives by it.
  const known = (cluster as unknown as { findTopicPartitionMetadata(topic: string): { partitionId: number }[] }).findTopicPartitionMetadata(
    topic,
  );
  return known.map(({ partitionId }) => ({ topic, partition: partitionId }));
}

function encode(partitions: readonly TopicPartition[]): Buffer {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  const assignment = Object.fromEntries([...topics].map(([topic, of]) => [topic, of.map(({ partition }) => partition)]));
  return kafkajs.AssignerProtocol.MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) });
}

function mend(): void {
  if (isMended) return;
  isMended = true;
  mendAbortedRecords();
  const load = createRequire(import.meta.url);
  const group = (load('kafkajs/src/consumer/consumerGroup') as { prototype: Group }).prototype;
  const recover = group.recoverFromOffsetOutOfRange;
  group.recoverFromOffsetOutOfRange = async function (this: Group, error) {
    const tell = watcherOf(this);
    if (tell === undefined) return recover.call(this, error);
    tell({ topic: error.topic, partition: error.partition });
  };
  const runner = (load('kafkajs/src/consumer/runner') as { prototype: Runner }).prototype;
  const take = runner.handleBatch;
  runner.handleBatch = async function (this: Runner, batch) {
    if (watcherOf(this.consumerGroup) !== undefined && this.consumerGroup.hasSeekOffset(batch)) return;
    await take.call(this, batch);
  };
}

function watcherOf({ assigners }: Group): OutOfRange | undefined {
  return assigners.find((assigner) => assigner[OUT_OF_RANGE] !== undefined)?.[OUT_OF_RANGE];
}
