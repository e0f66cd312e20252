/** Turns a journalled signal into the bytes that every attempt sends. */
import type { Signal } from '../model/rollout.ts';
import type { EpochMs } from '../model/time.ts';
import type { SinkMessage } from './sink.ts';

/**
 * The payload of Standard Webhooks: `type`, `timestamp` (of the decision, not of the attempt) and `data`, keys always in this order. It depends
 * on what is journalled and on nothing else, so that an attempt after a restart repeats the bytes of the one before.
 *
 *     {"type":"slipstream.signal.rollback","timestamp":"2026-01-02T03:04:05.678Z",
 *      "data":{"id":"sig_…","rolloutId":"checkout-42","generation":7,"policyId":"…","service":"checkout","action":"rollback",
 *              "reason":"harm_proven","summary":"…","link":"https://…","evidenceDigest":"…","evidenceAt":"…","notAfter":"…"}}
 */
export function messageOf(signal: Signal, decidedAt: EpochMs): SinkMessage {
  const body = JSON.stringify({
    type: `slipstream.signal.${signal.action}`,
    timestamp: isoTime(decidedAt),
    data: {
      id: signal.id,
      rolloutId: signal.rolloutId,
      generation: signal.generation,
      policyId: signal.policyId,
      service: signal.service,
      action: signal.action,
      reason: signal.reason,
      // Absent rather than null, as in what a program that knew of neither may have begun to send.
      ...(signal.target === null ? {} : { target: signal.target }),
      summary: signal.summary,
      ...(signal.link === null ? {} : { link: signal.link }),
      ...(signal.rolledBackTo === undefined ? {} : { rolledBackTo: signal.rolledBackTo }),
      evidenceDigest: signal.evidenceDigest,
      evidenceAt: isoTime(signal.evidenceAt),
      notAfter: isoTime(signal.notAfter),
    },
  });
  return { id: signal.id, body, signal, decidedAt };
}

function isoTime(at: EpochMs): string {
  return new Date(at).toISOString();
}
