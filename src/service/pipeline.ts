/** Joins the two stages to the clock, the store and delivery: request bytes in, journalled signals out. */

import { decisionRecord } from '../engine/decision-record.ts';
import type { Decision, Engine } from '../engine.ts';
import type { Ingest, IngestOutcome } from '../ingest.ts';
import type { Checkpoint } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import { SPAN_DISPOSITIONS } from '../model/observation-batch.ts';
import { reasonText } from '../model/reason-text.ts';
import { type AnalysisRun, RUN_STATES, type Signal } from '../model/rollout.ts';
import type { DurationMs } from '../model/time.ts';
import type { DecidedSignal, JournalEntry } from '../store/journal.ts';
import type { Store } from '../store/store.ts';
import type { RunningTelemetry } from '../telemetry/create-telemetry.ts';
import { logAlert } from './alert-log.ts';
import { type Clock, ClockWatch } from './clock.ts';

/** After this long without a new slot what is pending is flushed all the same: the stream has paused. */
const PAUSE_MS = 1_500;
/** After a jump of the wall clock nothing is decided for as long as spans may still carry the old time. */
const FREEZE_AFTER_JUMP_MS = 60_000;

export interface PipelineParts {
  readonly ingest: Ingest;
  readonly engine: Engine;
  readonly store: Store;
  readonly telemetry: RunningTelemetry;
  readonly clock: Clock;
  /** Completes a signal that was decided by what only the shell knows: where people read more, and which of its sinks can do something with it. */
  address(signal: Signal): Signal;
  /** Takes deliveries that are journalled. */
  deliver(entries: readonly JournalEntry[]): void;
  /** Runs may have changed, and what did was written if the store took it. */
  changed?(): void;
  /** What others want saved with the next checkpoint: what changed since they were asked last. */
  notes?(): Checkpoint['notes'];
}

export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #watch: ClockWatch;
  readonly #shown = new Float64Array(SPAN_DISPOSITIONS.length);
  #shownOverflow = 0;
  #lastFlush: DurationMs;
  /** A checkpoint the disk refused: tried again, before any newer one. */
  #unwritten: Checkpoint | null = null;
  #undelivered: DecidedSignal[] = [];
  /** How often in a row the store refused: it is said once. */
  #refusals = 0;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#watch = new ClockWatch(parts.clock);
    this.#lastFlush = parts.clock.monotonicMs();
  }

  /** True while the store takes what it is given. */
  get isDurable(): boolean {
    return this.#unwritten === null && this.#undelivered.length === 0;
  }

  /** Signals that were decided and that no store has taken yet: nothing of them has left. */
  get waiting(): readonly DecidedSignal[] {
    return this.#undelivered;
  }

  /** Counts one request, and judges when it opened a new slot. */
  consume(encoding: 'protobuf' | 'json', bytes: Uint8Array): IngestOutcome {
    const { ingest, clock } = this.#parts;
    const outcome = ingest.consume(encoding, bytes, clock.now());
    if (ingest.flushDue()) this.#turn();
    return outcome;
  }

  /** Time has passed: looks for jumps of the clock, flushes a stream that paused, and moves runs on. To be called about twice a second. */
  tick(): void {
    const { ingest, engine, clock } = this.#parts;
    if (ingest.pending > 0 && clock.monotonicMs() - this.#lastFlush >= PAUSE_MS) this.#turn();
    else {
      this.#watchClock();
      this.#settle(engine.advance(clock.now()));
    }
    // Not so long as until the next checkpoint.
    if (this.#undelivered.length > 0) this.#record([]);
    this.showCounts();
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

  /** Flushes and judges what is pending, then checkpoints: the last act before the store closes. True when all is durable. */
  finish(): boolean {
    if (this.#parts.ingest.pending > 0) this.#turn();
    return this.checkpoint('whole');
  }

  #checkpoint(extent: 'bounded' | 'whole'): boolean {
    const { ingest, engine, clock } = this.#parts;
    // What was refused comes first and alone: signals go with the state that they follow from.
    if (this.#unwritten !== null && !this.#write(this.#unwritten, [])) return false;
    const signals = this.#undelivered;
    const changed = engine.checkpoint(clock.now(), extent);
    const judged = new Set([...engine.rollouts.active()].map(({ rollout }) => rollout.service));
    const pods = ingest.unsavedPods(judged);
    const notes = [...changed.notes, ...(pods === null ? [] : [pods]), ...(this.#parts.notes?.() ?? [])];
    return this.#write({ ...changed, notes }, signals);
  }

  #write(changed: Checkpoint, signals: readonly DecidedSignal[]): boolean {
    const { store, telemetry, clock } = this.#parts;
    const begun = clock.monotonicMs();
    try {
      const fresh = new Set(telemetry.span('checkpoint', { signals: signals.length }, () => store.checkpoint(changed, signals)));
      this.#unwritten = null;
      this.#refusals = 0;
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

  #watchClock(): void {
    const { engine, clock, telemetry } = this.#parts;
    const { jumpMs, pauseMs } = this.#watch.look();
    if (pauseMs > 0) {
      telemetry.log.warn({ pauseMs }, 'the process stood still');
      engine.stoodStill(pauseMs);
    }
    if (jumpMs === 0) return;
    telemetry.log.warn({ jumpMs }, 'the wall clock jumped; verdicts are frozen');
    engine.clockJumped(jumpMs, clock.now() + FREEZE_AFTER_JUMP_MS);
  }

  #turn(): void {
    const { ingest, engine, clock, telemetry } = this.#parts;
    this.#watchClock();
    const begun = clock.monotonicMs();
    this.#lastFlush = begun;
    const { late } = engine.merge(ingest.flush());
    if (late > 0) telemetry.add('late_spans_total', late);
    const decisions = engine.advance(clock.now());
    telemetry.observe('tick_seconds', (clock.monotonicMs() - begun) / 1000);
    this.#settle(decisions);
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
      const { rollout, verdict } = run;
      if (fault !== null) telemetry.log.error({ rollout: rollout.id, service: rollout.service, fault }, 'an analysis run broke and ended');
      const { decision, reason } = verdict;
      telemetry.span('verdict', { service: rollout.service, decision, reason }, () => this.#logVerdict(run));
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

  #hand(signals: readonly DecidedSignal[]): void {
    if (signals.length > 0) this.#parts.deliver(signals.flatMap(({ signal }) => this.#parts.store.journal.of(signal.id)));
  }

  #logVerdict(run: AnalysisRun): void {
    const { verdict, rollout } = run;
    this.#parts.telemetry.add('verdicts_total', 1, { decision: verdict.decision, reason: verdict.reason });
    this.#parts.telemetry.log.info(
      {
        rollout: rollout.id,
        generation: rollout.generation,
        service: rollout.service,
        state: run.state,
        decision: verdict.decision,
        reason: verdict.reason,
        why: reasonText(verdict.reason),
        at: new Date(verdict.at).toISOString(),
        logWealth: verdict.logWealth,
        logLimit: verdict.logLimit,
        decidedBy: verdict.decidedBy,
        canaryRequests: run.canaryRequests,
        baselineRequests: run.baselineRequests,
      },
      'verdict',
    );
  }

  /** Brings the metrics up to what has been counted. */
  showCounts(): void {
    const { ingest, engine, telemetry } = this.#parts;
    for (let i = 0; i < this.#shown.length; i++) {
      const spans = ingest.dispositions[i] as number;
      const more = spans - (this.#shown[i] as number);
      if (more > 0) telemetry.add('spans_total', more, { disposition: SPAN_DISPOSITIONS[i] as string });
      this.#shown[i] = spans;
    }
    const overflow = ingest.overflowSpans - this.#shownOverflow;
    if (overflow > 0) telemetry.add('overflow_spans_total', overflow);
    this.#shownOverflow = ingest.overflowSpans;
    telemetry.set('series', ingest.table.size);
    const byState = new Map<string, number>(RUN_STATES.map((state) => [state, 0]));
    for (const run of engine.rollouts.all()) byState.set(run.state, (byState.get(run.state) ?? 0) + 1);
    for (const [state, runs] of byState) telemetry.set('analysis_runs', runs, { state });
  }
}

/** The deploy system has its answer, though a release that was promoted is watched on; or would have it, had an operator not put it off. */
function outlivesCrash({ state, verdict }: AnalysisRun): boolean {
  return (state !== 'pending' && state !== 'running') || verdict.reason === 'overridden';
}
