/** Sees to it that the topics that members share are there, and are what is expected of them. */
import kafkajs, { type Admin, type ITopicConfig, type Kafka } from 'kafkajs';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { DurationMs } from '../model/time.ts';
import { kafkaReason } from './kafka-errors.ts';
import { withAdmin } from './with-admin.ts';

const { ConfigResourceTypes } = kafkajs;

export interface WantedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly compacted: boolean;
  /** Absent: as the broker has it. Only for a topic that is created. */
  readonly retentionMs?: DurationMs;
}

export interface TopicOptions {
  /** Missing topics are created. */
  readonly create: boolean;
  /** -1: as the broker has it. */
  readonly replicationFactor: number;
}

const CREATE_LIMIT_MS = 15_000;
/** A topic that was just created is not known everywhere at once. */
const SHOWN_LIMIT_MS = 10_000;
const PAUSE_MS = 100;
/** Compaction spares the segment that is written to, and who restores reads it whole: by default it may be 1 GiB. */
const COMPACTED_SEGMENT_BYTES = 64 * 1024 * 1024;

/** Partition counts by name. Throws a PermanentError that names all that is wrong, a RetryableError when the brokers do not answer. */
export function ensureTopics(client: Kafka, wanted: readonly WantedTopic[], options: TopicOptions): Promise<ReadonlyMap<string, number>> {
  const names = wanted.map(({ name }) => name).join(', ');
  return withAdmin(client, `looking at the topics ${names}`, async (admin) => {
    const problems: string[] = [];
    const there = new Set(await admin.listTopics());
    const missing = wanted.filter(({ name }) => !there.has(name));
    if (options.create && missing.length > 0) problems.push(...(await createTopics(admin, missing, options)));
    else problems.push(...missing.map(({ name }) => `${name} does not exist`));
    if (problems.length > 0) throw wrong(problems);
    const counts = await partitionCounts(admin, wanted);
    for (const { name, partitions } of wanted) {
      const count = counts.get(name) ?? 0;
      if (count !== partitions) problems.push(`${name} has ${count} partitions, not ${partitions}`);
    }
    problems.push(...(await whenShown(() => wrongPolicies(admin, wanted))));
    if (problems.length > 0) throw wrong(problems);
    return counts;
  });
}

function wrong(problems: readonly string[]): PermanentError {
  return new PermanentError('topics', `topics of Kafka: ${problems.join('; ')}`);
}

/** What could not be created, and why. Another member may have been faster. */
async function createTopics(
  admin: Admin,
  missing: readonly WantedTopic[],
  { replicationFactor }: TopicOptions,
): Promise<readonly string[]> {
  const topics = missing.map((topic): ITopicConfig => {
    const { name, partitions } = topic;
    return { topic: name, numPartitions: partitions, replicationFactor, configEntries: configOf(topic) };
  });
  try {
    await admin.createTopics({ topics, timeout: CREATE_LIMIT_MS, waitForLeaders: true });
    return [];
  } catch (error) {
    const { errors } = error as { readonly errors?: readonly { readonly topic?: string; readonly type?: string }[] };
    if (!Array.isArray(errors)) throw error;
    return errors.filter(({ type }) => type !== 'TOPIC_ALREADY_EXISTS').map((one) => `${one.topic} cannot be created: ${kafkaReason(one)}`);
  }
}

function configOf({ compacted, retentionMs }: WantedTopic): { name: string; value: string }[] {
  const config = [{ name: 'cleanup.policy', value: compacted ? 'compact' : 'delete' }];
  if (compacted) config.push({ name: 'segment.bytes', value: String(COMPACTED_SEGMENT_BYTES) });
  else if (retentionMs !== undefined) config.push({ name: 'retention.ms', value: String(retentionMs) });
  return config;
}

async function partitionCounts(admin: Admin, wanted: readonly WantedTopic[]): Promise<ReadonlyMap<string, number>> {
  return whenShown(async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: wanted.map(({ name }) => name) });
    const counts = new Map(topics.map(({ name, partitions }) => [name, partitions.length]));
    const hidden = wanted.filter(({ name }) => (counts.get(name) ?? 0) === 0);
    if (hidden.length > 0) throw new RetryableError('topics', `topics of Kafka: ${hidden.map(({ name }) => name)} not known yet`);
    return counts;
  });
}

/** The broker that answers may not know yet what another has created. */
async function whenShown<T>(look: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + SHOWN_LIMIT_MS;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await new Promise((resume) => setTimeout(resume, PAUSE_MS));
  }
}

/** State would be deleted by age; counts of one key would replace one another. */
async function wrongPolicies(admin: Admin, wanted: readonly WantedTopic[]): Promise<readonly string[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: wanted.map(({ name }) => ({ type: ConfigResourceTypes.TOPIC, name, configNames: ['cleanup.policy'] })),
  });
  return wanted.flatMap(({ name, compacted }) => {
    const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? [];
    const policy = entries.find(({ configName }) => configName === 'cleanup.policy')?.configValue ?? 'unknown';
    const expected = compacted ? 'compact' : 'delete';
    return policy === expected ? [] : [`${name} has cleanup.policy=${policy}, not ${expected}`];
  });
}
