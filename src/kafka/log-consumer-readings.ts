/** The partitions that are ours: begun, compared with their logs, told of when something is lost, and ended. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EpochMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Frontier } from './frontier.ts';
import { type LogPosition, partitionName, type TopicPartition } from './log.ts';
import type { InnerConsumer } from './log-consumer-inner.ts';
import type { LogConsumerOptions, LogUser } from './log-consumer-parts.ts';
import { Reading } from './log-consumer-reading.ts';
import { type GoingOn, goingOn } from './positions.ts';

/** Between two attempts to do what failed. */
const AGAIN_MS = 500;

export interface ReadingsParts {
  readonly telemetry: Telemetry;
  readonly options: LogConsumerOptions;
  readonly user: LogUser;
  readonly frontier: Frontier;
  readonly stopped: AbortSignal;
  now(): EpochMs;
  monotonicMs(): number;
  /** Null: none now; the next one to join is told everything. */
  inner(): InnerConsumer | null;
}

/** Partitions whose user was asked for their positions in one call. */
interface Beginning {
  readonly abort: AbortController;
  readonly readings: readonly Reading[];
}

export class Readings {
  readonly #parts: ReadingsParts;
  readonly #ours = new Map<string, Reading>();
  readonly #beginnings = new Set<Beginning>();
  /** All partitions when topics were first looked at; null: not yet. What comes later is read from its start. */
  #atFirst: ReadonlySet<string> | null = null;
  #isAnswered = false;

  constructor(parts: ReadingsParts) {
    this.#parts = parts;
    parts.stopped.addEventListener('abort', () => {
      for (const { abort } of this.#beginnings) abort.abort();
    });
  }

  /** The brokers answered for all of them when they were last asked. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  all(): readonly Reading[] {
    return [...this.#ours.values()];
  }

  get(name: string): Reading | undefined {
    return this.#ours.get(name);
  }

  known(partitions: readonly string[]): void {
    if (partitions.length > 0) this.#atFirst ??= new Set(partitions);
  }

  /** This is all that is ours from now on; all of it is paused. `isNew`: what was ours before is so no more, though it may be given to us again. */
  joined(assigned: readonly TopicPartition[], isNew: boolean): void {
    const names = new Set(isNew ? [] : assigned.map(partitionName));
    const lost = this.all().filter(({ name }) => !names.has(name));
    const stayed = this.all().filter(({ name, phase }) => names.has(name) && phase !== 'beginning');
    for (const { name, of } of lost) {
      this.#ours.delete(name);
      this.#parts.telemetry.set('kafka_lag_records', 0, { topic: of.topic, partition: String(of.partition) });
    }
    const starts = new Map(lost.map(({ name, start }) => [name, start]));
    const fresh = assigned.filter((of) => !this.#ours.has(partitionName(of))).map((of) => new Reading(of, starts.get(partitionName(of))));
    for (const reading of fresh) this.#ours.set(reading.name, reading);
    const orphans = this.#abandon(new Set(lost));
    if (lost.length > 0) this.#parts.user.end(lost.map(({ of }) => of));
    this.check(stayed);
    if (fresh.length + orphans.length > 0) void this.#begin([...fresh, ...orphans]);
  }

  /** Its user takes no more for now. */
  full(reading: Reading): void {
    reading.isFull = true;
    this.#parts.inner()?.pause([reading.of]);
  }

  resume(of: TopicPartition): void {
    const reading = this.#ours.get(partitionName(of));
    if (reading?.isFull !== true) return;
    reading.isFull = false;
    if (reading.phase === 'reading') this.#parts.inner()?.readFrom(reading.of, reading.readFrom);
  }

  seek(of: TopicPartition, position: LogPosition): void {
    const reading = this.#ours.get(partitionName(of));
    if (reading === undefined || reading.phase === 'beginning') return;
    reading.restart(position);
    this.check([reading]);
  }

  /** Compares their positions with their logs, then goes on; nothing of them is taken before. */
  check(readings: readonly Reading[], isMadeAgain = false): void {
    if (readings.length === 0) return;
    for (const reading of readings) {
      reading.phase = 'checking';
      reading.checks++;
    }
    this.#parts.inner()?.pause(readings.map(({ of }) => of));
    const byTopic = Map.groupBy(readings, ({ of }) => of.topic);
    for (const [topic, of] of byTopic) void this.#check(topic, of, isMadeAgain);
  }

  /** Asks where our logs end: so it is known what is drained, who does not answer, and what cannot be the log that we read. */
  async lookAtEnds(): Promise<void> {
    const { frontier, now, monotonicMs, stopped } = this.#parts;
    let isAnswered = true;
    const byTopic = Map.groupBy(this.all(), ({ of }) => of.topic);
    const asking = [...byTopic].map(async ([topic, readings]) => {
      const askedAt = now();
      const before = new Map(readings.map((reading) => [reading, { offset: reading.offset, checks: reading.checks }]));
      const known = await frontier.bounds(topic, partitionsOf(readings)).catch(() => null);
      if (known === null) isAnswered = false;
      for (const reading of readings) {
        if (stopped.aborted || this.#ours.get(reading.name) !== reading) continue;
        const bounds = known?.get(reading.of.partition);
        if (bounds === undefined) {
          reading.deafSinceMs ??= monotonicMs();
          continue;
        }
        const { offset, checks } = before.get(reading) ?? reading;
        const wasDeaf = reading.deafSinceMs !== null;
        reading.deafSinceMs = null;
        // Was it compared since, then what the brokers said of it is old.
        if (reading.phase !== 'reading' || reading.checks !== checks) continue;
        if (wasDeaf || !reading.isWithin(bounds, offset)) this.check([reading]);
        else reading.saw(bounds.end, askedAt);
        if (reading.isDueToTell) for (const gap of reading.gaps.splice(0)) this.#parts.user.gap(gap);
        this.#tellLag(reading);
      }
    });
    await Promise.all(asking);
    this.#isAnswered = isAnswered && byTopic.size > 0;
  }

  #tellLag(reading: Reading): void {
    const { lag, topic, partition } = reading.status();
    if (lag !== null) this.#parts.telemetry.set('kafka_lag_records', lag, { topic, partition: String(partition) });
  }

  /** Takes back what was asked of the user about any of these; returns the others of the same calls, which are to be asked about again. */
  #abandon(lost: ReadonlySet<Reading>): readonly Reading[] {
    const orphans: Reading[] = [];
    for (const beginning of this.#beginnings) {
      if (!beginning.readings.some((reading) => lost.has(reading))) continue;
      this.#beginnings.delete(beginning);
      beginning.abort.abort();
      orphans.push(...beginning.readings.filter((reading) => !lost.has(reading)));
    }
    return orphans;
  }

  async #begin(readings: readonly Reading[]): Promise<void> {
    const { user, telemetry, stopped } = this.#parts;
    const beginning: Beginning = { abort: new AbortController(), readings };
    this.#beginnings.add(beginning);
    const { signal } = beginning.abort;
    const partitions = readings.map(({ of }) => of);
    while (!signal.aborted && !stopped.aborted) {
      try {
        const positions = await user.begin(partitions, signal);
        if (signal.aborted || stopped.aborted) return;
        this.#beginnings.delete(beginning);
        for (const reading of readings) reading.restart(positions.get(reading.name) ?? reading.start);
        this.check(readings);
        return;
      } catch (error) {
        if (signal.aborted) return;
        telemetry.log.warn(
          { partitions: readings.map(({ name }) => name), error },
          'finding out where to go on reading failed: tried again',
        );
        await delay(AGAIN_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #check(topic: string, readings: readonly Reading[], isMadeAgain: boolean): Promise<void> {
    const { frontier, telemetry, stopped } = this.#parts;
    const marks = new Map(readings.map((reading) => [reading, reading.checks]));
    const isCurrent = (reading: Reading) =>
      !stopped.aborted && reading.checks === marks.get(reading) && this.#ours.get(reading.name) === reading;
    let isConfirmed = false;
    for (;;) {
      const open = readings.filter((reading) => isCurrent(reading) && reading.phase === 'checking');
      if (open.length === 0) return;
      try {
        const bounds = await frontier.bounds(topic, partitionsOf(open));
        for (const reading of open) {
          const { start, end } = bounds.get(reading.of.partition) ?? { start: 0, end: 0 };
          // A leader that is new may not know for a moment how far its log was acknowledged: nobody is believed at once that an end was lost.
          if ((reading.position?.offset ?? 0) > end && !isMadeAgain && !isConfirmed) continue;
          const from = this.#atFirst?.has(reading.name) === false ? 'earliest' : this.#parts.options.from;
          const { of, position, highestEnd } = reading;
          const next = await goingOn({ of, position, from, isMadeAgain, highestEnd }, { start, end }, (time) =>
            frontier.firstAfter(of, time),
          );
          if (isCurrent(reading)) this.#goOn(reading, next);
        }
        isConfirmed = true;
      } catch (error) {
        telemetry.log.debug({ topic, error }, 'comparing positions with a log failed');
      }
      if (open.some((reading) => isCurrent(reading) && reading.phase === 'checking')) {
        await delay(AGAIN_MS, undefined, { signal: stopped }).catch(() => {});
      }
    }
  }

  #goOn(reading: Reading, next: GoingOn): void {
    const { telemetry, inner } = this.#parts;
    for (const { reason, from, to } of next.gaps) {
      telemetry.add('kafka_gaps_total', 1, { topic: reading.of.topic, reason });
      telemetry.log.error({ partition: reading.name, reason, from, to }, 'records of a log are lost before they were read');
    }
    reading.goOn(next);
    if (!reading.isFull) inner()?.readFrom(reading.of, reading.readFrom);
  }
}

function partitionsOf(readings: readonly Reading[]): readonly number[] {
  return readings.map(({ of }) => of.partition);
}
