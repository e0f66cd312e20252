/** Tells people of deliveries that need one of them, once per matter, until somebody was told. */
import type { DurationMs } from '../model/time.ts';
import { retryWaitMs } from './backoff.ts';
import { failureOf } from './delivery-failure.ts';
import { type DeliveryTopic, deliveryNotice } from './delivery-notice.ts';
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

  async #try(delivery: HeldDelivery, topic: DeliveryTopic, attempt: number): Promise<void> {
    const { telemetry } = this.#ground;
    try {
      await this.#ground.escalate(deliveryNotice({ ...delivery, signal: delivery.message.signal }, topic, this.#ground.now()));
    } catch (error) {
      const fields = { ...described(delivery), topic, channel: failureOf(error).text };
      if (this.#ground.monotonicMs() > delivery.expiresAt + GIVE_UP_MS) {
        telemetry.log.error(fields, 'nobody could be told for a day');
        this.#givenUp.add(delivery);
        if (this.#isWatched(delivery)) this.#onTold(delivery);
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
    if (!this.#isWatched(delivery)) return;
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
