/** Tells people of deliveries that need one of them, once per matter, until somebody was told. */
import type { Notice } from '../model/notice.ts';
import type { DurationMs } from '../model/time.ts';
import { retryWaitMs } from './backoff.ts';
import { isSeenAfterwards } from './confirmation.ts';
import { failureOf } from './delivery-failure.ts';
import { type DeliveryTopic, deliveryNotice, settledNotice } from './delivery-notice.ts';
import type { DeliveryGround } from './delivery-parts.ts';
import type { DeliveryRecord } from './delivery-record.ts';
import { described, type HeldDelivery, isUndelivered } from './held-delivery.ts';

/** A channel that has been dead this long after a signal expired will not save anything: the log alone tells of it then. */
const GIVE_UP_MS: DurationMs = 24 * 3_600_000;

export class Escalation {
  readonly #ground: DeliveryGround;
  readonly #record: DeliveryRecord;
  readonly #abort: AbortSignal;
  readonly #onTold: (delivery: HeldDelivery) => void;
  /** By delivery: what is being told, or was, since it is held. */
  readonly #telling = new WeakMap<HeldDelivery, Set<DeliveryTopic>>();
  readonly #givenUp = new WeakSet<HeldDelivery>();
  /** Nobody is needed for these any more. */
  readonly #settled = new WeakSet<HeldDelivery>();

  /** `onTold` is called when people were told of an open delivery and that is journalled, or when telling was given up. */
  constructor(ground: DeliveryGround, record: DeliveryRecord, abort: AbortSignal, onTold: (delivery: HeldDelivery) => void) {
    this.#ground = ground;
    this.#record = record;
    this.#abort = abort;
    this.#onTold = onTold;
  }

  /** Tells after a wait, unless the delivery turns before; never when the wait has no end. */
  arm(delivery: HeldDelivery, topic: DeliveryTopic, waitMs: DurationMs): void {
    delivery.cancelAlarm?.();
    delivery.cancelAlarm = null;
    if (this.isSettled(delivery, topic) || waitMs === Number.POSITIVE_INFINITY) return;
    delivery.cancelAlarm = this.#ground.schedule(() => this.tell(delivery, topic), Math.max(0, waitMs));
  }

  /** Tells now. Does nothing when people were told already, or are being told. */
  tell(delivery: HeldDelivery, topic: DeliveryTopic): void {
    const telling = this.#telling.get(delivery) ?? new Set();
    if (telling.has(topic) || this.isSettled(delivery, topic)) return;
    this.#telling.set(delivery, telling.add(topic));
    delivery.cancelAlarm?.();
    delivery.cancelAlarm = null;
    this.#log(delivery, topic);
    void this.#try(delivery, topic, 1);
  }

  /** True when nothing remains to be told: people know, or could not be told for a day. */
  isSettled(delivery: HeldDelivery, topic: DeliveryTopic): boolean {
    if (this.#givenUp.has(delivery)) return true;
    // Both may be told of one delivery; being unconfirmed begins with its last turn.
    return delivery.escalatedAt !== null && (topic === 'undelivered' || delivery.escalatedAt >= delivery.updatedAt);
  }

  /** True when people know that it needs one of them, or may be about to. */
  isTold(delivery: HeldDelivery): boolean {
    return delivery.escalatedAt !== null || (this.#telling.get(delivery)?.size ?? 0) > 0;
  }

  /** Tells that nobody is needed any more; `onTold` is called when people know, or could not be told for a day. */
  settle(delivery: HeldDelivery, onTold: () => void): void {
    this.#settled.add(delivery);
    delivery.cancelAlarm?.();
    delivery.cancelAlarm = null;
    void this.#trySettled(delivery, onTold, 1);
  }

  async #trySettled(delivery: HeldDelivery, onTold: () => void, attempt: number): Promise<void> {
    const { telemetry, now } = this.#ground;
    const entry = { ...delivery, signal: delivery.message.signal };
    try {
      await Promise.all(this.#toldTopics(delivery).map((topic) => this.#escalated(delivery, settledNotice(entry, topic, now()))));
    } catch (error) {
      if (!this.#isWatched(delivery)) return;
      const fields = { ...described(delivery), channel: failureOf(error).text };
      if (!this.#isTooLate(delivery)) {
        if (attempt === 1) telemetry.log.error(fields, 'nobody could be told that it is over, will be tried again');
        this.#again(delivery, () => void this.#trySettled(delivery, onTold, attempt + 1), attempt);
        return;
      }
      telemetry.log.error(fields, 'nobody could be told for a day');
    }
    if (this.#isWatched(delivery)) onTold();
  }

  /** Of what was told before a restart the journal does not say what it was. */
  #toldTopics(delivery: HeldDelivery): readonly DeliveryTopic[] {
    const { action } = delivery.message.signal;
    const before: readonly DeliveryTopic[] = isSeenAfterwards(this.#ground.sinks.get(delivery.sink), action)
      ? ['undelivered', 'unconfirmed']
      : ['undelivered'];
    return [...new Set([...(delivery.wasTold ? before : []), ...(this.#telling.get(delivery) ?? [])])];
  }

  /** A channel may wait for as long as it likes, but not for ever. */
  async #escalated(delivery: HeldDelivery, notice: Notice): Promise<void> {
    const tooLate = new AbortController();
    const { schedule, monotonicMs } = this.#ground;
    const cancel = schedule(() => tooLate.abort(), Math.max(0, delivery.expiresAt + GIVE_UP_MS + 1 - monotonicMs()));
    try {
      await this.#ground.escalate(notice, AbortSignal.any([this.#abort, tooLate.signal]));
    } finally {
      cancel();
    }
  }

  #isTooLate({ expiresAt }: HeldDelivery): boolean {
    return this.#ground.monotonicMs() > expiresAt + GIVE_UP_MS;
  }

  async #try(delivery: HeldDelivery, topic: DeliveryTopic, attempt: number): Promise<void> {
    const { telemetry } = this.#ground;
    try {
      const entry = { ...delivery, signal: delivery.message.signal };
      await this.#escalated(delivery, deliveryNotice(entry, topic, this.#ground.now()));
    } catch (error) {
      if (!this.#isWatched(delivery) || this.#settled.has(delivery)) return;
      const fields = { ...described(delivery), topic, channel: failureOf(error).text };
      if (this.#isTooLate(delivery)) {
        telemetry.log.error(fields, 'nobody could be told for a day');
        this.#givenUp.add(delivery);
        this.#onTold(delivery);
        return;
      }
      if (attempt === 1) telemetry.log.error(fields, 'nobody could be told, will be tried again');
      this.#again(delivery, () => void this.#try(delivery, topic, attempt + 1), attempt);
      return;
    }
    telemetry.add('escalations_total', 1, { topic });
    this.#note(delivery, topic, 1);
  }

  /** A restart before this is journalled tells once more. */
  #note(delivery: HeldDelivery, topic: DeliveryTopic, attempt: number): void {
    if (!this.#isWatched(delivery) || this.#settled.has(delivery)) return;
    if (this.#record.told(delivery, topic)) this.#onTold(delivery);
    else this.#again(delivery, () => this.#note(delivery, topic, attempt + 1), attempt);
  }

  #again(delivery: HeldDelivery, act: () => void, attempt: number): void {
    if (this.#isWatched(delivery)) delivery.cancelAlarm = this.#ground.schedule(act, retryWaitMs(attempt, this.#ground.random()));
  }

  /** That it came to nothing was said when it did. */
  #log(delivery: HeldDelivery, topic: DeliveryTopic): void {
    const { log } = this.#ground.telemetry;
    if (topic === 'unconfirmed' && delivery.state === 'acknowledged') log.error(described(delivery), 'signal taken and no effect seen');
    else if (isUndelivered(delivery)) log.error(described(delivery), 'signal still not delivered');
  }

  #isWatched(delivery: HeldDelivery): boolean {
    return !this.#abort.aborted && !delivery.isOver;
  }
}
