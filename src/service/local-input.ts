/** What brings counts in a process that judges by itself: requests of receivers alone, or Kafka as well. */
import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { KafkaConfig, KafkaReceiverConfig } from '../config/kafka-config.ts';
import { SourceBook } from '../engine/source-book.ts';
import { kafkaClient } from '../kafka/kafka-client.ts';
import type { SavedState, StoredNote } from '../model/checkpoint.ts';
import type { QuarantinedRecord } from '../model/inputs-view.ts';
import type { EpochMs } from '../model/time.ts';
import type { Store } from '../store/store.ts';
import type { RunningTelemetry } from '../telemetry/create-telemetry.ts';
import type { Clock } from './clock.ts';
import type { Judging } from './judging.ts';
import { KafkaSource } from './kafka-source.ts';
import { goesOnExactly } from './kafka-source-positions.ts';
import { Pipeline } from './pipeline.ts';
import { restored } from './restored-state.ts';
import { savedPods } from './saved-pods.ts';
import type { SpanInput } from './span-input.ts';
import { PartitionedStages, Stages } from './stages.ts';

export interface LocalInputOptions {
  readonly config: Config;
  readonly store: Store;
  readonly telemetry: RunningTelemetry;
  readonly clock: Clock;
  /** Sees every record of Kafka that was accepted, in order. */
  tap?(encoding: 'protobuf' | 'json', bytes: Uint8Array): void;
}

export interface LocalInput {
  readonly stages: Pick<Stages, 'engine' | 'releaseBy' | 'reconfigure'>;
  /** All notes that were saved. */
  readonly notes: readonly StoredNote[];
  /** See `Judging`. */
  readonly sources: SourceBook | null;
  /** To be called once. Nothing is fetched before it is started. */
  into(judging: Judging): SpanInput;
  /** What is to be saved with the state; to be asked for after `into`. */
  savedWith(): readonly StoredNote[];
  /** Records that were set aside, newest last. */
  quarantined(): readonly QuarantinedRecord[];
}

/** Restores the stages from the store. Throws PermanentError when what is saved cannot be gone on with at all. */
export function localInput(options: LocalInputOptions): LocalInput {
  const { kafka, receivers } = options.config;
  return kafka === null || receivers.kafka === null ? byRequests(options) : byKafka(options, kafka, receivers.kafka);
}

function byRequests(options: LocalInputOptions): LocalInput {
  const { telemetry, clock, config } = options;
  const { built, notes } = stagesOf(options, (life, saved) => new Stages({ config, source: 'local', ...life, ...saved }));
  return {
    stages: built,
    notes,
    sources: null,
    into: (judging) => new Pipeline({ ingest: built.ingest, judging, telemetry, clock }),
    savedWith: () => savedPods(built),
    quarantined: () => [],
  };
}

function byKafka(options: LocalInputOptions, kafka: KafkaConfig, receiver: KafkaReceiverConfig): LocalInput {
  const { config, telemetry, clock } = options;
  const { otlpGrpc, otlpHttp, maxRequestBytes } = config.receivers;
  const takesOtlp = otlpGrpc !== null || otlpHttp !== null;
  const { built, notes, epoch } = stagesOf(
    options,
    ({ hashSeed }, saved) => new PartitionedStages({ config, hashSeed, ...saved }),
    !takesOtlp,
  );
  const sources = new SourceBook({ waitMs: kafka.waitForSourceMs });
  sources.restore(notes);
  let source: KafkaSource | null = null;
  return {
    stages: built,
    notes,
    sources,
    into: (judging) => {
      const { tap } = options;
      source = new KafkaSource({
        client: kafkaClient(kafka, telemetry),
        receiver,
        sessionTimeoutMs: kafka.sessionTimeoutMs,
        maxRequestBytes,
        takesOtlp,
        epoch,
        ingest: built.ingest,
        judging,
        sources,
        telemetry,
        clock,
        notes,
        ...(tap !== undefined && { tap }),
      });
      return source;
    },
    savedWith: () => [...savedPods(built), ...(source?.savedWith() ?? [])],
    quarantined: () => source?.quarantined ?? [],
  };
}

interface Life {
  readonly epoch: string;
  readonly hashSeed: number;
}

interface Saved {
  readonly saved?: { readonly state: SavedState; readonly now: EpochMs; readonly continuity: 'gap' | 'exact' };
}

/** `isReplayed`: all that came since the state was saved comes again, and in the same order. */
function stagesOf<Built extends Pick<Stages, 'engine'>>(
  { config, store, telemetry, clock }: LocalInputOptions,
  build: (life: Life, saved: Saved) => Built,
  isReplayed = false,
) {
  const now = clock.now();
  const life: Life = { epoch: `${now.toString(36)}-${randomBytes(4).toString('hex')}`, hashSeed: randomBytes(4).readUInt32LE() };
  const saved = (state: SavedState): Saved => {
    if (state.at === null) return {};
    return { saved: { state, now, continuity: isReplayed && goesOnExactly(state.notes) ? 'exact' : 'gap' } };
  };
  const policy = config.policies.fallback.canary;
  return { ...restored({ store, now, telemetry, policy, build: (state) => build(life, saved(state)) }), epoch: life.epoch };
}
