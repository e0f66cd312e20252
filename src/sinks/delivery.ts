/** Gets journalled signals through their sinks: retries, fencing, expiry, confirmation and the journal's truth, once for all sinks. */
import type { DurationMs } from '../model/time.ts';
import type { JournalEntry } from '../store/journal.ts';
import { refusedWaitMs, retryWaitMs } from './backoff.ts';
import { isSettled, lookBack, lookWaitMs, turnAfter, untilGivenUpMs, untilUnconfirmedMs } from './confirmation.ts';
import { type AttemptOutcome, attemptDelivery } from './delivery-attempt.ts';
import { type DeliveryFailure, failureOf } from './delivery-failure.ts';
import { DeliveryLog } from './delivery-log.ts';
import type { DeliveryTopic } from './delivery-notice.ts';
import { type DeliveryGround, type DeliveryParts, deliveryGround } from './delivery-parts.ts';
import { DeliveryRecord } from './delivery-record.ts';
import { type DurableEntriesParts, takePending, takeSignals } from './durable-entries.ts';
import { Escalation } from './escalation.ts';
import { deliveryKey, type HeldDelivery, heldDelivery, isUndelivered, isUrgent, type Turn } from './held-delivery.ts';
import { Lanes } from './lane.ts';
import { meantBy, type OutcomeReport, type Reported, reportText, turnOf } from './outcome-report.ts';
import type { ReadBack } from './sink.ts';

/** Attempts at once through one sink, and looks at once for what came of others. */
const MAX_IN_FLIGHT_PER_SINK = 16;
/** Deliveries held in memory, and as many rollbacks on top; the rest wait in the journal until there is room. */
const MAX_HELD = 10_000;
/** While an operator holds signals back, it is asked again so often. */
const HELD_BACK_MS: DurationMs = 1_000;
/** Taken up late, after a restart for instance, it is tried for so long before anybody is told. */
const FIRST_ATTEMPT_MS: DurationMs = 2_000;
/** A replica that is not the one to act gives the other so much of a start. */
const STANDBY_MS: DurationMs = 5_000;
/** One 404 may be a proxy that restarts; so many in a row are for a person to look at. */
const MISDIRECTIONS_TOLD = 2;

/**
 * Nothing is sent that is not journalled, nothing journalled is forgotten: a delivery is open until the other side took it and its effect was seen where it can
 * be, until something newer or its time ended it, or until people were told. All attempts carry the same id and bytes, so a repetition after a lost answer or
 * a crash is recognisable as one.
 */
export class Delivery {
  readonly #ground: DeliveryGround;
  readonly #record: DeliveryRecord;
  readonly #escalation: Escalation;
  readonly #log: DeliveryLog;
  readonly #durable: DurableEntriesParts;
  readonly #maxHeld: number;
  readonly #held = new Map<string, HeldDelivery>();
  readonly #lanes: Lanes;
  readonly #abort = new AbortController();
  #leftInJournal = false;

  constructor(parts: DeliveryParts) {
    this.#ground = deliveryGround(parts);
    this.#record = new DeliveryRecord(this.#ground);
    this.#escalation = new Escalation(this.#ground, this.#record, this.#abort.signal, (delivery) => this.#told(delivery));
    this.#log = new DeliveryLog(this.#ground);
    this.#durable = { ...this.#ground, take: (entries) => this.submit(entries) };
    this.#maxHeld = parts.limits?.held ?? MAX_HELD;
    this.#lanes = new Lanes(parts.limits?.inFlightPerSink ?? MAX_IN_FLIGHT_PER_SINK, this.#ground.monotonicMs);
  }

  /** How long the oldest attempt under way, or look for what came of one, has taken; 0: none is. */
  get oldestStepMs(): DurationMs {
    return this.#lanes.oldestMs;
  }

  /** Takes over entries that the journal has for good; those it holds or that are not open are passed over. */
  submit(entries: readonly JournalEntry[]): void {
    if (this.#abort.signal.aborted) return;
    for (const entry of entries) {
      const key = deliveryKey(entry.signal.id, entry.sink);
      if (!entry.isOpen || this.#held.has(key)) continue;
      if (this.#held.size >= this.#maxHeld * (isUrgent(entry.signal) ? 2 : 1)) {
        if (!this.#leftInJournal) this.#ground.telemetry.log.warn({ held: this.#held.size }, 'deliveries wait in the journal');
        this.#leftInJournal = true;
        continue;
      }
      const delivery = this.#taken(entry);
      if (delivery !== null) this.#begin(delivery);
    }
    this.#log.held(this.#held.values());
  }

  /** Null: no message can be made of it. It stays in the journal and stands in the way of no other. */
  #taken(entry: JournalEntry): HeldDelivery | null {
    try {
      const delivery = heldDelivery(entry, this.#ground.now(), this.#ground.monotonicMs());
      this.#held.set(delivery.key, delivery);
      return delivery;
    } catch (error) {
      this.#log.unreadable(entry, error);
      return null;
    }
  }

  /** Takes up what the journal has open, for instance after a restart, once it is durable. Throws when the journal cannot be read. */
  resume(): void {
    this.#leftInJournal = false;
    takePending(this.#durable);
  }

  /** The deploy system says what became of a signal that it took. `kept` is durable when the journal is; saying the same again changes nothing. */
  report(report: OutcomeReport): Reported {
    const meant = meantBy(report, this.#ground);
    if ('kind' in meant) return meant;
    for (const entry of meant) {
      const held = this.#held.get(deliveryKey(entry.signal.id, entry.sink));
      const delivery = held ?? heldDelivery(entry, this.#ground.now(), this.#ground.monotonicMs());
      delivery.lastError = report.outcome === 'done' ? delivery.lastError : reportText(report);
      if (held === undefined) this.#held.set(delivery.key, delivery);
      if (!this.#turn(delivery, turnOf(report))) return { kind: 'not_journalled' };
    }
    return { kind: 'kept' };
  }

  /** Aborts what is in flight, keeps the rest in the journal, and resolves when no more will be written there. */
  async stop(): Promise<void> {
    this.#abort.abort();
    for (const delivery of this.#held.values()) {
      delivery.cancelWait?.();
      delivery.cancelAlarm?.();
    }
    await this.#lanes.close();
    this.#held.clear();
  }

  /** Goes on from the state that a delivery is in. */
  #begin(delivery: HeldDelivery): void {
    const { afterMs, now } = this.#ground;
    const sink = this.#ground.sinks.get(delivery.sink);
    if (isUndelivered(delivery)) {
      this.#escalation.arm(delivery, 'undelivered', Math.max(delivery.decidedAt + afterMs - now(), Math.min(FIRST_ATTEMPT_MS, afterMs)));
      if (sink?.readBack !== undefined && this.#ground.isStandby()) {
        delivery.mayBeDone = true;
        this.#wait(delivery, STANDBY_MS);
      } else this.#run(delivery);
    } else if (isSettled(delivery, sink)) {
      this.#settle(delivery);
    } else if (delivery.state === 'acknowledged') {
      this.#escalation.arm(delivery, 'unconfirmed', untilUnconfirmedMs(delivery, this.#ground));
      this.#wait(delivery, lookWaitMs(delivery, sink, this.#ground));
    } else {
      this.#tell(delivery);
    }
  }

  #run(delivery: HeldDelivery): void {
    const purpose = delivery.state === 'acknowledged' ? 'look' : 'send';
    this.#lanes.run(`${purpose} ${delivery.sink}`, () => this.#step(delivery), isUrgent(delivery.message.signal));
  }

  async #step(delivery: HeldDelivery): Promise<void> {
    delivery.cancelWait = null;
    if (delivery.isOver) return;
    if (delivery.turn !== null) this.#turn(delivery, delivery.turn);
    else if (isUndelivered(delivery)) await this.#attempt(delivery);
    else if (delivery.state === 'acknowledged') await this.#look(delivery);
  }

  async #attempt(delivery: HeldDelivery): Promise<void> {
    const outcome = await attemptDelivery(delivery, { ground: this.#ground, record: this.#record, abort: this.#abort.signal });
    // What was told of it meanwhile stands.
    if (delivery.isOver || !isUndelivered(delivery) || delivery.turn !== null) return;
    this.#attempted(delivery, outcome);
  }

  #attempted(delivery: HeldDelivery, outcome: AttemptOutcome): void {
    switch (outcome.kind) {
      case 'taken':
        this.#turn(delivery, turnAfter(delivery, outcome.receipt, this.#ground.sinks.get(delivery.sink)));
        return;
      case 'seen':
        this.#turn(delivery, { state: 'confirmed', isOpen: false, seen: outcome.seen });
        return;
      case 'over':
        this.#turn(delivery, { state: outcome.state, isOpen: outcome.state === 'expired' });
        return;
      case 'held_back':
        this.#wait(delivery, this.#untilExpired(delivery, HELD_BACK_MS));
        return;
      case 'not_journalled':
        this.#waitForJournal(delivery);
        return;
      case 'failed':
        // What stopping broke off is no failure of the sink: the journal keeps it as it is.
        if (!this.#abort.signal.aborted) this.#failed(delivery, outcome.failure);
        return;
      default:
        outcome satisfies never;
    }
  }

  /** Ends an attempt or a delivery once the journal has it; false when it has not, and then it is tried again. */
  #turn(delivery: HeldDelivery, turn: Turn): boolean {
    delivery.turn = turn;
    delivery.cancelWait?.();
    delivery.cancelWait = null;
    // People who were told that somebody is needed are told when nobody is any more.
    const endsTold = !turn.isOpen && turn.state !== 'escalated' && this.#escalation.isTold(delivery);
    const change = { state: turn.state, isOpen: turn.isOpen || endsTold };
    if ((turn.seen !== undefined && !this.#tellOthers(delivery, turn.seen)) || !this.#record.turned(delivery, change)) {
      this.#waitForJournal(delivery);
      return false;
    }
    delivery.turn = null;
    this.#log.turned(delivery);
    if (turn.isOpen) this.#begin(delivery);
    else if (endsTold) this.#settle(delivery);
    else this.#forget(delivery);
    this.#log.held(this.#held.values());
    return true;
  }

  /** Before the delivery ends: a crash between would forget it. */
  #tellOthers(delivery: HeldDelivery, seen: ReadBack): boolean {
    const { journal, now, telemetry } = this.#ground;
    const { signal } = delivery.message;
    const decided = this.#ground.followUps(signal, seen).map((followUp) => ({ signal: followUp, decidedAt: now() }));
    if (decided.length === 0) return true;
    try {
      takeSignals(journal.append(decided), this.#durable);
      return true;
    } catch (error) {
      if (delivery.journalFailures === 0)
        telemetry.log.error({ signal: signal.id, journal: failureOf(error).text }, 'journal cannot be written');
      delivery.journalFailures++;
      return false;
    }
  }

  #failed(delivery: HeldDelivery, failure: DeliveryFailure): void {
    const isRepeated = delivery.lastError === failure.text;
    delivery.lastError = failure.text;
    delivery.failures++;
    delivery.misdirections = failure.kind === 'misdirected' ? delivery.misdirections + 1 : 0;
    if (failure.kind === 'superseded' || failure.kind === 'declined') {
      const isOpen = failure.kind === 'declined';
      this.#turn(delivery, { state: isOpen ? 'escalated' : 'superseded', isOpen });
      return;
    }
    this.#log.failed(delivery, failure, isRepeated);
    this.#record.turned(delivery, { state: delivery.state, isOpen: true });
    if (delivery.misdirections >= MISDIRECTIONS_TOLD) this.#escalation.tell(delivery, 'undelivered');
    const random = this.#ground.random();
    const waitMs =
      failure.kind === 'retry' ? Math.max(retryWaitMs(delivery.failures, random), failure.retryAfterMs ?? 0) : refusedWaitMs(random);
    this.#wait(delivery, this.#untilExpired(delivery, waitMs));
  }

  async #look(delivery: HeldDelivery): Promise<void> {
    const seen = await lookBack(delivery, this.#ground, this.#abort.signal);
    if (delivery.isOver || delivery.state !== 'acknowledged' || delivery.turn !== null || this.#abort.signal.aborted) return;
    if (seen.state === 'confirmed') this.#turn(delivery, { state: 'confirmed', isOpen: false, seen });
    else if (seen.state === 'superseded') this.#turn(delivery, { state: 'superseded', isOpen: false });
    else if (untilGivenUpMs(delivery, this.#ground) <= 0 && this.#escalation.isSettled(delivery, 'unconfirmed')) {
      delivery.lastError = seen.detail;
      this.#turn(delivery, { state: 'escalated', isOpen: false });
    } else this.#wait(delivery, lookWaitMs(delivery, this.#ground.sinks.get(delivery.sink), this.#ground));
  }

  /** It came to nothing, and stays open until people know. */
  #tell(delivery: HeldDelivery): void {
    const topic = this.#topicOf(delivery);
    if (this.#escalation.isSettled(delivery, topic)) this.#told(delivery);
    else this.#escalation.tell(delivery, topic);
  }

  #told(delivery: HeldDelivery): void {
    if (delivery.state !== 'expired' && delivery.state !== 'escalated') return;
    if (!this.#escalation.isSettled(delivery, this.#topicOf(delivery))) this.#tell(delivery);
    else this.#close(delivery);
  }

  #settle(delivery: HeldDelivery): void {
    this.#escalation.settle(delivery, () => this.#close(delivery));
  }

  #close(delivery: HeldDelivery): void {
    if (this.#record.turned(delivery, { state: delivery.state, isOpen: false })) this.#forget(delivery);
    else {
      const waitMs = retryWaitMs(delivery.journalFailures, this.#ground.random());
      delivery.cancelAlarm = this.#ground.schedule(() => this.#close(delivery), waitMs);
    }
    this.#log.held(this.#held.values());
  }

  /** What the deploy system says it did not do was taken by it; everything else that came to nothing was not. */
  #topicOf({ state, sink }: HeldDelivery): DeliveryTopic {
    return state === 'escalated' && this.#ground.sinks.get(sink)?.awaitsOutcome === true ? 'unconfirmed' : 'undelivered';
  }

  #waitForJournal(delivery: HeldDelivery): void {
    this.#wait(delivery, retryWaitMs(Math.max(1, delivery.journalFailures), this.#ground.random()));
  }

  #wait(delivery: HeldDelivery, waitMs: DurationMs): void {
    if (this.#abort.signal.aborted || delivery.isOver) return;
    delivery.cancelWait?.();
    delivery.cancelWait = this.#ground.schedule(() => this.#run(delivery), waitMs);
  }

  /** Not beyond its end: an expired signal is reported when it expires. */
  #untilExpired({ expiresAt }: HeldDelivery, waitMs: DurationMs): DurationMs {
    return Math.min(waitMs, Math.max(0, expiresAt + 1 - this.#ground.monotonicMs()));
  }

  #forget(delivery: HeldDelivery): void {
    delivery.isOver = true;
    delivery.cancelWait?.();
    delivery.cancelAlarm?.();
    this.#held.delete(delivery.key);
    if (!this.#leftInJournal || this.#held.size > this.#maxHeld / 2) return;
    try {
      this.resume();
    } catch (error) {
      this.#leftInJournal = true;
      this.#ground.telemetry.log.error({ journal: failureOf(error).text }, 'journal cannot be read');
    }
  }
}
