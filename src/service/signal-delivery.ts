/** Delivery as the service runs it: what is told once an effect was seen, and to whom. */
import type { EscalationConfig } from '../config/sink-config.ts';
import { rolledBackSignal } from '../decide/signal.ts';
import type { Signal } from '../model/rollout.ts';
import { Delivery } from '../sinks/delivery.ts';
import type { DeliveryParts } from '../sinks/delivery-parts.ts';
import type { ReadBack } from '../sinks/sink.ts';
import type { Clock } from './clock.ts';

type Given = Pick<DeliveryParts, 'journal' | 'sinks' | 'telemetry' | 'isCurrent'> & Partial<Pick<DeliveryParts, 'isStandby' | 'escalate'>>;

export function signalDelivery(parts: Given & { readonly clock: Clock; readonly escalation: EscalationConfig }): Delivery {
  const { clock, isCurrent, ...rest } = parts;
  return new Delivery({
    ...rest,
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    // What was done stays true, whatever is rolled out next and whoever holds signals back.
    isCurrent: (signal) => (signal.action === 'rolled_back' ? 'send' : isCurrent(signal)),
    followUps: (signal, seen) => followUps(signal, seen, clock),
  });
}

function followUps(signal: Signal, seen: ReadBack, clock: Clock): readonly Signal[] {
  const told = signal.action === 'rollback' ? (signal.toldAfter ?? []) : [];
  return told.length === 0 ? [] : [rolledBackSignal(signal, seen, told, clock.now())];
}
