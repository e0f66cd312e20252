/** Gets journalled signals through their sinks: retries, fencing, expiry and the journal's truth, once for all sinks. */
import type { DeliveryState, Signal } from '../model/rollout.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import { isFinal, type JournalEntry, type SignalJournal } from '../store/journal.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { refusedWaitMs, retryWaitMs } from './backoff.ts';
import { type DeliveryFailure, failureOf } from './delivery-failure.ts';
import { Lane } from './lane.ts';
import { messageOf } from './message.ts';
import type { Sink, SinkMessage } from './sink.ts';

/** Attempts at once through one sink. */
const MAX_IN_FLIGHT_PER_SINK = 4;
/** Deliveries held in memory; the rest wait in the journal until there is room. */
const MAX_HELD = 10_000;
/** A signal not delivered this long after its decision is reported as an error once: a human may have to act in its place. */
const UNDELIVERED_ALARM_MS: DurationMs = 60_000;

export interface DeliveryParts {
  readonly journal: SignalJournal;
  /** By name; a journalled signal for a name that is not here waits until it appears or the signal expires. */
  readonly sinks: ReadonlyMap<string, Sink>;
  readonly telemetry: Telemetry;
  /** Wall clock. */
  now(): EpochMs;
  /** Never jumps: by it a signal that is held expires. The runtime's own by default. */
  monotonicMs?(): DurationMs;
  /** Asked right before each attempt. */
  isCurrent(signal: Signal): 'send' | 'superseded' | 'expired';
  /** Runs `task` once after a wait, and returns what cancels it; by default a timer of the runtime. */
  schedule?(task: () => void, waitMs: DurationMs): () => void;
  /** Uniform in [0, 1), for jitter. */
  random?(): number;
  readonly limits?: { readonly inFlightPerSink?: number; readonly held?: number };
}

type FinalState = Exclude<DeliveryState, 'pending' | 'sent'>;

interface HeldDelivery {
  readonly key: string;
  readonly sink: string;
  readonly decidedAt: EpochMs;
  readonly message: SinkMessage;
  /** By the clock that never jumps: a jump of the wall clock ends no signal that is not delivered yet. */
  readonly expiresAt: DurationMs;
  state: DeliveryState;
  attempts: number;
  lastError: string | null;
  /** Failed attempts in a row since it was submitted. */
  failures: number;
  journalFailures: number;
  /** Known end that the journal has yet to take. */
  settled: FinalState | null;
  alarmed: boolean;
  cancelWait: (() => void) | null;
}

/**
 * Nothing is sent that is not journalled, nothing journalled is forgotten: a delivery ends acknowledged, superseded or expired. All attempts
 * carry the same id and bytes, so a repetition after a lost answer or a crash is recognisable as one.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #schedule: (task: () => void, waitMs: DurationMs) => () => void;
  readonly #random: () => number;
  readonly #monotonicMs: () => DurationMs;
  readonly #maxHeld: number;
  readonly #held = new Map<string, HeldDelivery>();
  readonly #lanes = new Map<string, Lane>();
  readonly #abort = new AbortController();
  #leftInJournal = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#schedule = parts.schedule?.bind(parts) ?? runtimeTimer;
    this.#random = parts.random?.bind(parts) ?? Math.random;
    this.#monotonicMs = parts.monotonicMs?.bind(parts) ?? (() => performance.now());
    this.#maxHeld = parts.limits?.held ?? MAX_HELD;
  }

  /** Takes over entries that are in the journal already; those it holds or that are final are passed over. */
  submit(entries: readonly JournalEntry[]): void {
    if (this.#abort.signal.aborted) return;
    for (const entry of entries) {
      const key = JSON.stringify([entry.signal.id, entry.sink]);
      if (isFinal(entry.state) || this.#held.has(key)) continue;
      if (this.#held.size >= this.#maxHeld) {
        if (!this.#leftInJournal) this.#parts.telemetry.log.warn({ held: this.#held.size }, 'deliveries wait in the journal');
        this.#leftInJournal = true;
        break;
      }
      const delivery = heldDelivery(key, entry, this.#monotonicMs() + entry.signal.notAfter - this.#parts.now());
      this.#held.set(key, delivery);
      this.#run(delivery);
    }
    this.#countPending();
  }

  /** Takes up what the journal has open, for instance after a restart. Throws when the journal cannot be read. */
  resume(): void {
    this.#leftInJournal = false;
    this.submit(this.#parts.journal.pending());
  }

  /** Aborts what is in flight, keeps the rest in the journal, and resolves when no more will be written there. */
  async stop(): Promise<void> {
    this.#abort.abort();
    for (const delivery of this.#held.values()) delivery.cancelWait?.();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
    this.#held.clear();
  }

  #run(delivery: HeldDelivery): void {
    let lane = this.#lanes.get(delivery.sink);
    if (lane === undefined) {
      lane = new Lane(this.#parts.limits?.inFlightPerSink ?? MAX_IN_FLIGHT_PER_SINK);
      this.#lanes.set(delivery.sink, lane);
    }
    lane.run(() => this.#attempt(delivery));
  }

  async #attempt(delivery: HeldDelivery): Promise<void> {
    delivery.cancelWait = null;
    const outcome = delivery.settled ?? (await this.#send(delivery));
    if (outcome === 'not_journalled') this.#waitForJournal(delivery);
    else if (typeof outcome === 'string') this.#settle(delivery, outcome);
    else if (outcome.kind === 'superseded') {
      delivery.lastError = outcome.text;
      this.#settle(delivery, 'superseded');
    }
    // What stopping broke off is no failure of the sink: the journal keeps it as it is.
    else if (!this.#abort.signal.aborted) this.#failed(delivery, outcome);
  }

  async #send(delivery: HeldDelivery): Promise<FinalState | DeliveryFailure | 'not_journalled'> {
    try {
      const end = this.#endBeforeSending(delivery);
      if (end !== null) return end;
      const sink = this.#parts.sinks.get(delivery.sink);
      if (sink === undefined) return { kind: 'misdirected', text: 'no sink of this name is configured' };
      const begun = { state: 'sent', attempts: delivery.attempts + 1, lastError: delivery.lastError } as const;
      if (!this.#mark(delivery, begun)) return 'not_journalled';
      await sink.deliver(delivery.message, { abort: this.#abort.signal, mayStillAct: () => this.#endBeforeSending(delivery) === null });
      return 'acknowledged';
    } catch (error) {
      return failureOf(error);
    }
  }

  #endBeforeSending({ message, expiresAt }: HeldDelivery): FinalState | null {
    if (this.#monotonicMs() > expiresAt) return 'expired';
    const answer = this.#parts.isCurrent(message.signal);
    return answer === 'send' ? null : answer;
  }

  #settle(delivery: HeldDelivery, state: FinalState): void {
    delivery.settled = state;
    if (!this.#mark(delivery, { state, attempts: delivery.attempts, lastError: delivery.lastError })) {
      this.#waitForJournal(delivery);
      return;
    }
    this.#held.delete(delivery.key);
    this.#count(delivery, state);
    this.#countPending();
    const { log } = this.#parts.telemetry;
    const fields = { ...described(delivery), afterMs: this.#parts.now() - delivery.decidedAt };
    if (state === 'acknowledged') log.info(fields, 'signal delivered');
    else if (state === 'superseded') log.warn(fields, 'signal superseded');
    else log.error(fields, 'signal expired undelivered');
    if (this.#leftInJournal && this.#held.size <= this.#maxHeld / 2) this.#refill();
  }

  #failed(delivery: HeldDelivery, failure: DeliveryFailure): void {
    const repeated = delivery.lastError === failure.text;
    delivery.lastError = failure.text;
    delivery.failures++;
    this.#count(delivery, failure.kind === 'retry' ? 'failed' : failure.kind);
    this.#mark(delivery, { state: delivery.state, attempts: delivery.attempts, lastError: failure.text });
    this.#report(delivery, failure, repeated);
    const random = this.#random();
    const waitMs =
      failure.kind === 'retry' ? Math.max(retryWaitMs(delivery.failures, random), failure.retryAfterMs ?? 0) : refusedWaitMs(random);
    // Not beyond its end: an expired signal is reported when it expires.
    this.#wait(delivery, Math.min(waitMs, Math.max(0, delivery.expiresAt + 1 - this.#monotonicMs())));
  }

  #report(delivery: HeldDelivery, failure: DeliveryFailure, repeated: boolean): void {
    const { log } = this.#parts.telemetry;
    const fields = described(delivery);
    if (failure.kind === 'misdirected') log.error(fields, 'sink cannot be reached as configured');
    else if (failure.kind === 'refused') log.warn(fields, 'sink refuses the signal');
    else if (!repeated) log.warn(fields, 'signal not delivered, will be sent again');
    if (delivery.alarmed || this.#parts.now() - delivery.decidedAt < UNDELIVERED_ALARM_MS) return;
    delivery.alarmed = true;
    log.error(fields, 'signal still not delivered');
  }

  /** False when the journal did not take it. */
  #mark(delivery: HeldDelivery, change: { state: DeliveryState; attempts: number; lastError: string | null }): boolean {
    try {
      this.#parts.journal.mark(delivery.message.id, delivery.sink, { ...change, at: this.#parts.now() });
    } catch (error) {
      const text = failureOf(error).text;
      if (delivery.journalFailures === 0)
        this.#parts.telemetry.log.error({ ...described(delivery), journal: text }, 'journal cannot be written');
      this.#count(delivery, 'journal_failed');
      return false;
    }
    delivery.journalFailures = 0;
    Object.assign(delivery, change);
    return true;
  }

  #waitForJournal(delivery: HeldDelivery): void {
    delivery.journalFailures++;
    this.#wait(delivery, retryWaitMs(delivery.journalFailures, this.#random()));
  }

  #wait(delivery: HeldDelivery, waitMs: DurationMs): void {
    if (this.#abort.signal.aborted) return;
    delivery.cancelWait = this.#schedule(() => this.#run(delivery), waitMs);
  }

  #refill(): void {
    try {
      this.resume();
    } catch (error) {
      this.#leftInJournal = true;
      this.#parts.telemetry.log.error({ journal: failureOf(error).text }, 'journal cannot be read');
    }
  }

  #count(delivery: HeldDelivery, result: string): void {
    this.#parts.telemetry.add('deliveries_total', 1, { sink: delivery.sink, result });
  }

  #countPending(): void {
    this.#parts.telemetry.set('deliveries_pending', this.#held.size);
  }
}

function heldDelivery(key: string, entry: JournalEntry, expiresAt: DurationMs): HeldDelivery {
  const { sink, decidedAt, state, attempts, lastError } = entry;
  const message = messageOf(entry.signal, decidedAt);
  const fresh = { failures: 0, journalFailures: 0, settled: null, alarmed: false, cancelWait: null };
  return { key, sink, decidedAt, message, expiresAt, state, attempts, lastError, ...fresh };
}

function described(delivery: HeldDelivery) {
  const { id, rolloutId, generation, action, reason } = delivery.message.signal;
  const { sink, attempts, lastError } = delivery;
  return { signal: id, rollout: rolloutId, generation, action, reason, sink, attempts, lastError };
}

function runtimeTimer(task: () => void, waitMs: DurationMs): () => void {
  const timer = setTimeout(task, waitMs);
  return () => clearTimeout(timer);
}
