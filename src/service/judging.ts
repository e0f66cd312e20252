/** Joins stage B to the clock, the store and delivery: slot deltas in, journalled signals out. */
import { decisionRecord } from '../engine/decision-record.ts';
import type { SourceBook } from '../engine/source-book.ts';
import type { Decision, Engine } from '../engine.ts';
import type { Checkpoint } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import { type AnalysisRun, RUN_STATES, type Signal } from '../model/rollout.ts';
import type { SlotDeltas } from '../model/slot-deltas.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { DecidedSignal, JournalEntry } from '../store/journal.ts';
import type { Store } from '../store/store.ts';
import type { RunningTelemetry } from '../telemetry/create-telemetry.ts';
import { logAlert } from './alert-log.ts';
import { type Clock, ClockWatch } from './clock.ts';
import { InputWatch } from './input-watch.ts';
import { logVerdict } from './verdict-log.ts';

/** After a jump of the wall clock nothing is decided for as long as spans may still carry the old time. */
const FREEZE_AFTER_JUMP_MS = 60_000;

export interface JudgingParts {
  readonly engine: Engine;
  readonly store: Store;
  readonly telemetry: RunningTelemetry;
  readonly clock: Clock;
  /** Where counts come from, when their completeness is told: judging then lives in their time. Null: whatever was sent has come. */
  readonly sources?: SourceBook | null;
  /** Completes a signal that was decided by what only the shell knows: where people read more, and which of its sinks can do something with it. */
  address(signal: Signal): Signal;
  /** Takes deliveries that are journalled. */
  deliver(entries: readonly JournalEntry[]): void;
  /** Runs may have changed, and what did was written if the store took it. */
  changed?(): void;
  /** What others want saved with the next checkpoint: what changed since they were asked last. */
  notes?(): Checkpoint['notes'];
}

export class Judging {
  readonly #parts: JudgingParts;
  readonly #watch: ClockWatch;
  readonly #sources: SourceBook | null;
  readonly #inputs: InputWatch | null;
  /** What time it was when counts were judged last, where sources tell it. */
  #streamTime: EpochMs = Number.NEGATIVE_INFINITY;
  /** A checkpoint the disk refused: tried again, before any newer one. */
  #unwritten: Checkpoint | null = null;
  #undelivered: DecidedSignal[] = [];
  /** How often in a row the store refused: it is said once. */
  #refusals = 0;
  #movedMs: DurationMs;
  #checkpointMs: DurationMs;

  constructor(parts: JudgingParts) {
    this.#parts = parts;
    this.#movedMs = parts.clock.monotonicMs();
    this.#checkpointMs = this.#movedMs;
    this.#sources = parts.sources ?? null;
    this.#inputs = this.#sources && new InputWatch(this.#sources, parts);
    this.#watch = new ClockWatch(parts.clock);
  }

  /** True while the store takes what it is given. */
  get isDurable(): boolean {
    return this.#unwritten === null && this.#undelivered.length === 0;
  }

  /** By the monotonic clock: when time was moved on last, and when a checkpoint was written last; the begin, where neither has been yet. */
  get pulse(): { readonly movedMs: DurationMs; readonly checkpointMs: DurationMs } {
    return { movedMs: this.#movedMs, checkpointMs: this.#checkpointMs };
  }

  /** Signals that were decided and that no store has taken yet: nothing of them has left. */
  get waiting(): readonly DecidedSignal[] {
    return this.#undelivered;
  }

  /** The time that judging is at: the wall clock, or as far as all sources are complete; -Infinity while nothing is known of them. */
  now(): EpochMs {
    const wall = this.#parts.clock.now();
    return this.#sources?.streamTime(wall) ?? wall;
  }

  /** Merges flushes and judges as far as they allow. To be called as they come. */
  turn(flushes: Iterable<SlotDeltas>): void {
    const { clock, telemetry } = this.#parts;
    this.#watchClock();
    const begun = clock.monotonicMs();
    this.merge(flushes);
    const decisions = this.#advance();
    telemetry.observe('tick_seconds', (clock.monotonicMs() - begun) / 1000);
    this.#settle(decisions);
  }

  /** Merges flushes; the next `turn` or `tick` judges. */
  merge(flushes: Iterable<SlotDeltas>): void {
    const { engine, telemetry } = this.#parts;
    for (const flush of flushes) {
      const { late } = engine.merge(flush);
      if (late > 0) telemetry.add('late_spans_total', late);
    }
  }

  /** Time has passed: looks for jumps of the clock and moves runs on. To be called about twice a second. */
  tick(): void {
    this.#watchClock();
    this.#settle(this.#advance());
    this.retry();
  }

  /** Signals that no store has taken yet are offered again. */
  retry(): void {
    // Not so long as until the next checkpoint.
    if (this.#undelivered.length > 0) this.#record([]);
  }

  /**
   * Writes what changed, and the signals that still wait to be journalled. Never throws: a disk that refuses is told of and tried again. True
   * when all is durable.
   */
  checkpoint(extent: 'bounded' | 'whole' = 'bounded'): boolean {
    const isWritten = this.#checkpoint(extent);
    this.#parts.changed?.();
    return isWritten;
  }

  #checkpoint(extent: 'bounded' | 'whole'): boolean {
    const { engine, notes } = this.#parts;
    // What was refused comes first and alone: signals go with the state that they follow from.
    if (this.#unwritten !== null && !this.#write(this.#unwritten, [])) return false;
    const signals = this.#undelivered;
    const changed = engine.checkpoint(this.#savedAt(), extent);
    return this.#write({ ...changed, notes: [...changed.notes, ...(notes?.() ?? [])] }, signals);
  }

  #write(changed: Checkpoint, signals: readonly DecidedSignal[]): boolean {
    const { store, telemetry, clock } = this.#parts;
    const begun = clock.monotonicMs();
    try {
      const fresh = new Set(telemetry.span('checkpoint', { signals: signals.length }, () => store.checkpoint(changed, signals)));
      this.#unwritten = null;
      this.#refusals = 0;
      this.#checkpointMs = clock.monotonicMs();
      this.#undelivered = this.#undelivered.slice(signals.length);
      telemetry.observe('checkpoint_seconds', (clock.monotonicMs() - begun) / 1000);
      this.#hand(signals.filter(({ signal }) => fresh.has(signal.id)));
      return true;
    } catch (error) {
      // What no store may hold would be refused for ever, and everything after it with it.
      const isLost = error instanceof PermanentError;
      this.#unwritten = isLost ? null : changed;
      telemetry.add('checkpoint_failures_total', 1);
      if (isLost || this.#refusals++ === 0) {
        telemetry.log.error(
          { error: String(error), waitingSignals: this.#undelivered.length, isLost },
          'the store refuses; no signal leaves until it takes them',
        );
      }
      return false;
    }
  }

  /** What is to be read back of slots is counted from here: of sources, the time that they have come to, or all there is. */
  #savedAt(): EpochMs {
    return Math.max(0, this.now());
  }

  #watchClock(): void {
    const { engine, clock, telemetry } = this.#parts;
    const { jumpMs, pauseMs } = this.#watch.look();
    if (pauseMs > 0) {
      telemetry.log.warn({ pauseMs }, 'the process stood still');
      // What is sent meanwhile waits in the log.
      if (this.#sources === null) engine.stoodStill(pauseMs);
    }
    if (jumpMs === 0) return;
    telemetry.log.warn({ jumpMs }, 'the wall clock jumped; verdicts are frozen');
    // Their time never goes back, and jumps forward no further than the wall clock.
    const now = this.now();
    const movedMs = this.#sources === null ? jumpMs : Math.min(Math.max(0, jumpMs), now - this.#streamTime);
    engine.clockJumped(Number.isFinite(movedMs) ? movedMs : 0, Math.max(now, clock.now()) + FREEZE_AFTER_JUMP_MS);
  }

  #advance(): readonly Decision[] {
    const decisions = this.#advanced();
    this.#movedMs = this.#parts.clock.monotonicMs();
    return decisions;
  }

  #advanced(): readonly Decision[] {
    const { engine, clock } = this.#parts;
    const sources = this.#sources;
    const wall = clock.now();
    if (sources === null) return engine.advance(wall);
    const now = sources.streamTime(wall);
    const doubt = sources.doubt(wall);
    this.#inputs?.look();
    for (const [fromMs, toMs] of sources.takeUnobserved()) engine.notObserved(fromMs, toMs);
    engine.inputDoubt = doubt;
    if (!Number.isFinite(now)) return [];
    this.#streamTime = now;
    return engine.advance(now, doubt, 'complete');
  }

  #settle(decisions: readonly Decision[]): void {
    const { engine, telemetry, clock } = this.#parts;
    for (const event of engine.alerts.takeEvents()) logAlert(event, telemetry);
    if (decisions.length === 0) return;
    for (const { signal } of decisions) {
      if (signal === null) continue;
      telemetry.add('signals_total', 1, { action: signal.action });
      this.#undelivered.push({ signal: this.#parts.address(signal), decidedAt: clock.now() });
    }
    // A change of mind alone follows in the next checkpoint.
    if (this.#undelivered.length > 0 || decisions.some(({ run }) => outlivesCrash(run))) this.#record(decisions);
    this.#parts.changed?.();
    // What is to leave has been handed over: telling of it takes longer.
    for (const { run, fault } of decisions) {
      const { rollout } = run;
      if (fault !== null) telemetry.log.error({ rollout: rollout.id, service: rollout.service, fault }, 'an analysis run broke and ended');
      logVerdict(run, telemetry, clock.now());
    }
  }

  /**
   * Makes decisions and their signals durable, and hands the signals over: first of all and in a small transaction, since a bad release is serving. What is
   * refused waits for the next checkpoint, which has all of it.
   */
  #record(decisions: readonly Decision[]): void {
    const { engine, store, telemetry } = this.#parts;
    // Runs that are newer than what waits to be written must not be overwritten by it.
    if (this.#unwritten !== null) {
      this.#checkpoint('bounded');
      return;
    }
    const signals = this.#undelivered;
    const decided = new Set([
      ...decisions.filter(({ run }) => outlivesCrash(run)).map(({ run }) => run.rollout.id),
      ...signals.map(({ signal }) => signal.rolloutId),
    ]);
    try {
      const record = decisionRecord(engine, decided);
      const fresh = new Set(telemetry.span('checkpoint', { signals: signals.length }, () => store.recordDecisions(record, signals)));
      this.#undelivered = this.#undelivered.slice(signals.length);
      this.#hand(signals.filter(({ signal }) => fresh.has(signal.id)));
    } catch (error) {
      telemetry.add('checkpoint_failures_total', 1);
      if (this.#refusals++ === 0) {
        telemetry.log.error(
          { error: String(error), waitingSignals: signals.length },
          'the store refuses; no signal leaves until it takes them',
        );
      }
      return;
    }
    this.#refusals = 0;
  }

  /** Once they are durable: at once where the store is so by itself. */
  #hand(signals: readonly DecidedSignal[]): void {
    if (signals.length === 0) return;
    const { store, deliver, telemetry } = this.#parts;
    const hand = (): void => deliver(signals.flatMap(({ signal }) => store.journal.of(signal.id)));
    const durable = store.durable();
    if (durable === null) hand();
    // The new owner of the state has them, or decides anew.
    else
      durable
        .then(hand)
        .catch((error) =>
          telemetry.log.warn({ error: String(error), signals: signals.length }, 'signals are left to the new owner of the state'),
        );
  }

  /** Brings the metrics of runs up to date. */
  showCounts(): void {
    const { engine, telemetry } = this.#parts;
    this.#inputs?.showCounts();
    const byState = new Map<string, number>(RUN_STATES.map((state) => [state, 0]));
    for (const run of engine.rollouts.all()) byState.set(run.state, (byState.get(run.state) ?? 0) + 1);
    for (const [state, runs] of byState) telemetry.set('analysis_runs', runs, { state });
  }
}

/** The deploy system has its answer, though a release that was promoted is watched on; or would have it, had an operator not put it off. */
function outlivesCrash({ state, verdict }: AnalysisRun): boolean {
  return (state !== 'pending' && state !== 'running') || verdict.reason === 'overridden';
}
