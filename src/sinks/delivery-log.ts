/** Says in log and metrics how deliveries go. */
import type { JournalEntry } from '../store/journal.ts';
import { type DeliveryFailure, failureOf } from './delivery-failure.ts';
import type { DeliveryGround } from './delivery-parts.ts';
import { described, type HeldDelivery, isUndelivered } from './held-delivery.ts';

export class DeliveryLog {
  readonly #ground: Pick<DeliveryGround, 'telemetry' | 'now'>;

  constructor(ground: Pick<DeliveryGround, 'telemetry' | 'now'>) {
    this.#ground = ground;
  }

  /** It is in a new state. */
  turned(delivery: HeldDelivery): void {
    const { state } = delivery;
    const { log } = this.#ground.telemetry;
    const fields = { ...described(delivery), afterMs: this.#ground.now() - delivery.decidedAt };
    this.#count(delivery, state);
    switch (state) {
      case 'pending':
      case 'sent':
        return;
      case 'acknowledged':
        log.info(fields, 'signal delivered');
        return;
      case 'confirmed':
        log.info(fields, 'signal confirmed');
        return;
      case 'dry_run':
        log.info(fields, 'signal delivered in a dry run');
        return;
      case 'superseded':
        log.warn(fields, 'signal superseded');
        return;
      case 'expired':
        log.error(fields, 'signal expired undelivered');
        return;
      case 'escalated':
        log.error(fields, 'nothing came of the signal');
        return;
      default:
        state satisfies never;
    }
  }

  /** An attempt failed, and there will be another. */
  failed(delivery: HeldDelivery, { kind }: DeliveryFailure, isRepeated: boolean): void {
    const { log } = this.#ground.telemetry;
    const fields = described(delivery);
    this.#count(delivery, kind === 'retry' ? 'failed' : kind);
    if (kind === 'misdirected') log.error(fields, 'sink cannot be reached as configured');
    else if (kind === 'refused') log.warn(fields, 'sink refuses the signal');
    else if (!isRepeated) log.warn(fields, 'signal not delivered, will be sent again');
  }

  /** What is journalled is no signal that this program knows how to send. */
  unreadable({ signal, sink }: JournalEntry, error: unknown): void {
    const { telemetry } = this.#ground;
    telemetry.add('deliveries_total', 1, { sink, result: 'unreadable' });
    telemetry.log.error(
      { signal: signal.id, rollout: signal.rolloutId, sink, error: failureOf(error).text },
      'a journalled signal cannot be read',
    );
  }

  held(deliveries: Iterable<HeldDelivery>): void {
    let pending = 0;
    let unconfirmed = 0;
    for (const delivery of deliveries) {
      if (isUndelivered(delivery)) pending++;
      else if (delivery.state === 'acknowledged') unconfirmed++;
    }
    this.#ground.telemetry.set('deliveries_pending', pending);
    this.#ground.telemetry.set('deliveries_unconfirmed', unconfirmed);
  }

  #count({ sink }: HeldDelivery, result: string): void {
    this.#ground.telemetry.add('deliveries_total', 1, { sink, result });
  }
}
