/** Sees what became of a signal that the other side took: looks until its effect is there, or nothing will come of it any more. */
import type { SignalAction } from '../model/rollout.ts';
import type { DurationMs } from '../model/time.ts';
import { failureOf } from './delivery-failure.ts';
import type { DeliveryGround } from './delivery-parts.ts';
import type { HeldDelivery, Turn } from './held-delivery.ts';
import type { ReadBack, Receipt, Sink } from './sink.ts';

/** First looks come soon, since an API server acts within a second; a Deployment then takes a minute or two. */
const FIRST_LOOKS_MS: readonly DurationMs[] = [1_000, 2_000];
const LOOK_MS: DurationMs = 5_000;
/** How long it is still looked for after people were to be told. */
const LAST_LOOKS_MS: DurationMs = 5 * 60_000;

/** Actions that have an effect of which a deploy system can say that it is done. */
const REPORTED: ReadonlySet<SignalAction> = new Set(['rollback', 'promote']);

/** True when a signal that this sink took is not done with that. */
export function isSeenAfterwards(sink: Sink | undefined, action: SignalAction): boolean {
  return sink?.readBack !== undefined || isReported(sink, action);
}

/** True when the other side is to say itself what became of it. */
export function isReported(sink: Sink | undefined, action: SignalAction): boolean {
  return sink?.awaitsOutcome === true && REPORTED.has(action);
}

/** What an attempt that the other side took leads to. */
export function turnAfter({ message }: HeldDelivery, receipt: Receipt, sink: Sink | undefined): Turn {
  if (receipt === 'acknowledged') return { state: receipt, isOpen: isSeenAfterwards(sink, message.signal.action) };
  if (receipt === 'dry_run') return { state: receipt, isOpen: false };
  return { state: receipt, isOpen: false, seen: { state: 'confirmed', detail: 'its effect was seen at once' } };
}

/** An open delivery that came to its end after people were told that it needs them: open until they know that it does not. */
export function isSettled({ state, message, escalatedAt }: HeldDelivery, sink: Sink | undefined): boolean {
  if (state === 'acknowledged') return escalatedAt !== null && !isSeenAfterwards(sink, message.signal.action);
  return state === 'confirmed' || state === 'superseded' || state === 'dry_run';
}

/** How long until people are told that no effect was seen; 0 or less: now. */
export function untilUnconfirmedMs({ updatedAt }: HeldDelivery, { now, confirmWithinMs }: DeliveryGround): DurationMs {
  return updatedAt + confirmWithinMs - now();
}

/** How long until it is no longer looked for; 0 or less: it is over. */
export function untilGivenUpMs(delivery: HeldDelivery, ground: DeliveryGround): DurationMs {
  return untilUnconfirmedMs(delivery, ground) + LAST_LOOKS_MS;
}

/** Wait before the next look: 1, 2, 5, 5 … s; where nothing can be looked at, until it is given up. */
export function lookWaitMs(delivery: HeldDelivery, sink: Sink | undefined, ground: DeliveryGround): DurationMs {
  const leftMs = Math.max(untilGivenUpMs(delivery, ground), LOOK_MS);
  return sink?.readBack === undefined ? leftMs : (FIRST_LOOKS_MS[delivery.looks] ?? LOOK_MS);
}

/** Never throws: what cannot be read is not there yet. */
export async function lookBack(delivery: HeldDelivery, ground: DeliveryGround, abort: AbortSignal): Promise<ReadBack> {
  delivery.looks++;
  try {
    return (await ground.sinks.get(delivery.sink)?.readBack?.(delivery.message, abort)) ?? { state: 'not_yet', detail: 'nothing was told' };
  } catch (error) {
    return { state: 'not_yet', detail: failureOf(error).text };
  }
}
