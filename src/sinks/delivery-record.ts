/** Writes what becomes of deliveries into the journal, and says when that cannot be written. */
import type { DeliveryState } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';
import { failureOf } from './delivery-failure.ts';
import type { DeliveryTopic } from './delivery-notice.ts';
import type { DeliveryGround } from './delivery-parts.ts';
import { described, type HeldDelivery } from './held-delivery.ts';

export class DeliveryRecord {
  readonly #ground: Pick<DeliveryGround, 'journal' | 'telemetry' | 'now'>;

  constructor(ground: Pick<DeliveryGround, 'journal' | 'telemetry' | 'now'>) {
    this.#ground = ground;
  }

  /** A new attempt or state; false when the journal did not take it, and then the delivery is as it was. */
  turned(delivery: HeldDelivery, change: { readonly state: DeliveryState; readonly isOpen: boolean; readonly attempts?: number }): boolean {
    const { attempts = delivery.attempts, state, isOpen } = change;
    // Later than people were last told, so that what they are told from here on can be told from it.
    const updatedAt = Math.max(this.#ground.now(), delivery.escalatedAt === null ? 0 : delivery.escalatedAt + 1);
    return this.#mark(delivery, { ...delivery, state, attempts, updatedAt }, isOpen);
  }

  /** People were told. What they are told of being undelivered belongs before a turn that came meanwhile. */
  told(delivery: HeldDelivery, topic: DeliveryTopic): boolean {
    const { updatedAt, state } = delivery;
    const now = Math.max(this.#ground.now(), updatedAt);
    const escalatedAt = topic === 'undelivered' && state === 'acknowledged' ? updatedAt - 1 : now;
    return this.#mark(delivery, { ...delivery, escalatedAt }, true);
  }

  #mark(delivery: HeldDelivery, changed: Written, isOpen: boolean): boolean {
    const { journal, telemetry } = this.#ground;
    const { state, attempts, lastError, escalatedAt, updatedAt } = changed;
    try {
      journal.mark(delivery.message.id, delivery.sink, { state, isOpen, attempts, lastError, escalatedAt, at: updatedAt });
    } catch (error) {
      if (delivery.journalFailures === 0)
        telemetry.log.error({ ...described(delivery), journal: failureOf(error).text }, 'journal cannot be written');
      delivery.journalFailures++;
      telemetry.add('deliveries_total', 1, { sink: delivery.sink, result: 'journal_failed' });
      return false;
    }
    delivery.journalFailures = 0;
    Object.assign(delivery, { state, attempts, escalatedAt, updatedAt } satisfies Partial<Written>);
    return true;
  }
}

interface Written {
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly escalatedAt: EpochMs | null;
  readonly updatedAt: EpochMs;
}
