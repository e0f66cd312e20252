/** Takes a partition of the delta topic over: fences who had it, reads its state back whole, and builds the cell that goes on from there. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { KafkaConfig } from '../../config/kafka-config.ts';
import { SourceBook } from '../../engine/source-book.ts';
import { Engine } from '../../engine.ts';
import { openChangelog } from '../../kafka/changelog.ts';
import type { kafkaClient } from '../../kafka/kafka-client.ts';
import type { SavedState } from '../../model/checkpoint.ts';
import { HistogramLayout } from '../../model/histogram-layout.ts';
import type { EpochMs } from '../../model/time.ts';
import { ChangelogStore } from '../../store/changelog-store.ts';
import { DeltaReader } from '../../wire/delta-reader.ts';
import { Cell, type CellParts } from '../cell.ts';
import { type CellGauges, cellTelemetry } from '../members/cell-telemetry.ts';
import { restored } from '../restored-state.ts';
import { OwnedCell, savedPosition } from './owned-cell.ts';

/** Each member that counts keeps to the limits by itself, and they need not meet the same names first. */
const MEMBERS_SHARE = 2;

export interface TakeOverParts
  extends Pick<CellParts, 'version' | 'clock' | 'sinks' | 'isStandby' | 'readiness' | 'metrics' | 'permit' | 'beforeDelivery'> {
  /** As it is now: it may have been read anew. */
  config(): Config;
  readonly kafka: KafkaConfig;
  readonly client: ReturnType<typeof kafkaClient>;
  readonly gauges: CellGauges;
  /** The delta partition of a service. */
  partitionOf(service: string): number;
  /** Harm of a canary was proven, whatever comes of it. */
  harmed(service: string, at: EpochMs): void;
  /** For scratch files; of this process alone. */
  readonly folder: string;
  /** The group has answered lately, so that it cannot have given what is ours to somebody else unseen. */
  isLive(): boolean;
}

export interface TakeOver {
  readonly partition: number;
  /** The group has given the partition to somebody else: the rest is not worth while. */
  readonly abort: AbortSignal;
  /** Called once when the state has another owner. */
  lost(error: unknown): void;
}

/** Rejects with what stands in the way; nothing is left behind then. */
export async function takeOver(parts: TakeOverParts, { partition, abort, lost }: TakeOver): Promise<OwnedCell> {
  const { kafka, client, clock } = parts;
  const begun = clock.monotonicMs();
  const isOurs = (service: string): boolean => parts.partitionOf(service) === partition;
  const config = (): Config => forServices(parts.config(), isOurs);
  mkdirSync(parts.folder, { recursive: true, mode: 0o700 });
  // Not by the partition alone: an earlier cell of it may still be on its way out, and takes its files with it.
  const folder = mkdtempSync(join(parts.folder, `${partition}-`));
  const telemetry = cellTelemetry(parts.gauges, basename(folder), isOurs);
  let rows = 0;
  const log = {
    client,
    telemetry,
    topic: kafka.topics.state,
    partition,
    transactionalId: `${kafka.groups.evaluate}-${kafka.topics.state}-${partition}`,
    mayStillOwn: () => !abort.aborted && parts.isLive(),
    abort,
  };
  let store: ChangelogStore | null = null;
  try {
    store = await ChangelogStore.restore({
      folder,
      lost,
      open: (take) =>
        openChangelog(log, (row) => {
          rows++;
          take(row);
        }),
    });
    const { built, notes } = restored({
      store,
      now: clock.now(),
      telemetry,
      policy: config().policies.fallback.canary,
      build: (state) => rebuilt(config(), state, clock.now()),
    });
    const sources = new SourceBook({ waitMs: kafka.waitForSourceMs });
    sources.restore(notes);
    let owned: OwnedCell | null = null;
    const cell = new Cell({
      ...parts,
      config: config(),
      telemetry,
      engine: built.engine,
      store,
      notes,
      sources,
      releaseBy: () => config().spans.releaseBy,
      savedWith: () => owned?.notes() ?? [],
    });
    owned = new OwnedCell({
      cell,
      config,
      harmed: parts.harmed,
      store,
      sources,
      reader: built.reader,
      telemetry,
      clock,
      position: savedPosition(notes),
      folder,
    });
    const tookMs = clock.monotonicMs() - begun;
    telemetry.observe('take_over_seconds', tookMs / 1000);
    telemetry.log.info(
      { partition, rows, tookMs, position: owned.position?.offset ?? null },
      'a partition of the delta topic was taken over',
    );
    return owned;
  } catch (error) {
    await store?.finish(AbortSignal.abort());
    telemetry.drop();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function rebuilt(config: Config, saved: SavedState, now: EpochMs): { readonly engine: Engine; readonly reader: DeltaReader } {
  const { policies, histogram, series } = config;
  const layout = new HistogramLayout(histogram.digits, histogram.highestUs);
  const engine = new Engine(policies, layout);
  if (saved.at !== null) engine.restore(saved, now, 'exact');
  const reader = new DeltaReader({
    layout,
    known: saved.series,
    notes: saved.notes,
    maxTotal: MEMBERS_SHARE * series.maxTotal,
    maxSeriesOf: (service) => MEMBERS_SHARE * (policies.services.get(service)?.maxSeries ?? policies.fallback.maxSeries),
    hashSeed: randomBytes(4).readUInt32LE(),
  });
  return { engine, reader };
}

/** Objectives and policies of the services that a cell has: others' would look as if nothing were heard of them. */
function forServices(config: Config, isOurs: (service: string) => boolean): Config {
  const services = new Map([...config.policies.services].filter(([service]) => isOurs(service)));
  return { ...config, policies: { ...config.policies, services } };
}
