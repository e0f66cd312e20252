/** One attempt to get a signal through its sink: whether it may still be acted upon, the journal first, then the other side. */
import { type DeliveryFailure, failureOf } from './delivery-failure.ts';
import type { Currency, DeliveryGround } from './delivery-parts.ts';
import type { DeliveryRecord } from './delivery-record.ts';
import type { HeldDelivery } from './held-delivery.ts';
import type { ReadBack, Receipt, Sink } from './sink.ts';

export type AttemptOutcome =
  | { readonly kind: 'taken'; readonly receipt: Receipt }
  /** The effect is there already, through another process or an attempt whose answer was lost. */
  | { readonly kind: 'seen'; readonly seen: ReadBack }
  | { readonly kind: 'over'; readonly state: 'superseded' | 'expired' }
  /** An operator holds it back. */
  | { readonly kind: 'held_back' }
  | { readonly kind: 'not_journalled' }
  | { readonly kind: 'failed'; readonly failure: DeliveryFailure };

/** Never throws. Nothing has an effect that is not journalled, or that was not current when it left. An attempt that was begun is a span of its rollout. */
export async function attemptDelivery(
  delivery: HeldDelivery,
  parts: { readonly ground: DeliveryGround; readonly record: DeliveryRecord; readonly abort: AbortSignal },
): Promise<AttemptOutcome> {
  const { ground } = parts;
  const [startMs, before] = [ground.now(), delivery.attempts];
  const outcome = await attempt(delivery, parts);
  if (delivery.attempts === before && outcome.kind !== 'seen') return outcome;
  const { id, rolloutId, generation, action, service } = delivery.message.signal;
  ground.telemetry.decided({
    name: 'delivery',
    rollout: { id: rolloutId, generation },
    startMs,
    endMs: ground.now(),
    attributes: { service, action, 'signal.id': id, sink: delivery.sink, attempt: delivery.attempts, outcome: outcome.kind },
    ...(outcome.kind === 'failed' && { error: outcome.failure.text }),
  });
  return outcome;
}

async function attempt(
  delivery: HeldDelivery,
  { ground, record, abort }: { readonly ground: DeliveryGround; readonly record: DeliveryRecord; readonly abort: AbortSignal },
): Promise<AttemptOutcome> {
  try {
    const before = stop(delivery, ground);
    if (before !== null) return before;
    const sink = ground.sinks.get(delivery.sink);
    if (sink === undefined) return { kind: 'failed', failure: { kind: 'misdirected', text: 'no sink of this name is configured' } };
    const done = await doneAlready(delivery, sink, abort);
    if (done !== null) return done;
    const isFirst = delivery.attempts === 0;
    if (!record.turned(delivery, { state: 'sent', isOpen: true, attempts: delivery.attempts + 1 })) return { kind: 'not_journalled' };
    // Looking back and journalling took time, in which the process may even have been stopped.
    const late = stop(delivery, ground);
    if (late !== null) return late;
    if (isFirst) ground.telemetry.observe('signal_send_seconds', Math.max(0, ground.now() - delivery.decidedAt) / 1_000);
    const receipt = await sink.deliver(delivery.message, { abort, mayStillAct: () => !delivery.isOver && stop(delivery, ground) === null });
    return { kind: 'taken', receipt };
  } catch (error) {
    return { kind: 'failed', failure: failureOf(error) };
  }
}

/** What speaks against sending it now; null when it may be sent. */
function stop(delivery: HeldDelivery, ground: DeliveryGround): AttemptOutcome | null {
  if (ground.monotonicMs() > delivery.expiresAt) return { kind: 'over', state: 'expired' };
  const answer: Currency = ground.isCurrent(delivery.message.signal);
  switch (answer) {
    case 'send':
      return null;
    case 'wait':
      return { kind: 'held_back' };
    case 'superseded':
    case 'expired':
      return { kind: 'over', state: answer };
    default:
      return answer satisfies never;
  }
}

/**
 * Looked for once, where another process may have acted. Only what is seen to be done ends it: a release that goes on serving may be one that nobody has acted
 * upon yet, and whether it is still the judged one the sink finds out by itself. What cannot be read is sent: sinks recognise a repetition.
 */
async function doneAlready(delivery: HeldDelivery, sink: Sink, abort: AbortSignal): Promise<AttemptOutcome | null> {
  if (!delivery.mayBeDone || sink.readBack === undefined) return null;
  let seen: ReadBack;
  try {
    seen = await sink.readBack(delivery.message, abort);
  } catch (error) {
    if (abort.aborted) throw error;
    return null;
  } finally {
    delivery.mayBeDone = abort.aborted;
  }
  return seen.state === 'confirmed' ? { kind: 'seen', seen } : null;
}
