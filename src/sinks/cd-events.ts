/** Signals as CDEvents 0.5.1: harm that was found is an incident, a rollback that was seen is a service rolled back. */
import { createHash } from 'node:crypto';
import type { WebhookSinkConfig } from '../config/sink-config.ts';
import { PermanentError } from '../model/errors.ts';
import type { SignalAction } from '../model/rollout.ts';
import type { CloudEvent } from './cloud-events.ts';
import { packageUrl } from './package-url.ts';
import type { SinkMessage } from './sink.ts';

/**
 * What the vocabulary has an event for. A promotion is the deploy system's own to tell of. A hold is no incident: most come from a lack of proof, and
 * which do not only people can tell.
 */
export const CD_EVENT_ACTIONS: ReadonlySet<SignalAction> = new Set(['rollback', 'rolled_back']);

/** The event of a signal, as the data of a CloudEvent with the same attributes (CloudEvents binding of CDEvents). PermanentError `refused` for other actions. */
export function cdEvent(message: SinkMessage, config: Pick<WebhookSinkConfig, 'eventSource' | 'environment'>): CloudEvent {
  const { signal } = message;
  const { eventSource: source } = config;
  const time = new Date(message.decidedAt).toISOString();
  const { type, subject } = whatHappened(message, config);
  const data = JSON.stringify({
    context: { specversion: '0.5.1', id: message.id, source, type, timestamp: time, chainId: chainId(signal.rolloutId, signal.generation) },
    subject: { id: subject.id, source, content: subject.content },
    customData: {
      rolloutId: signal.rolloutId,
      generation: signal.generation,
      policyId: signal.policyId,
      reason: signal.reason,
      ...(signal.target === null ? {} : { target: signal.target }),
      ...(signal.link === null ? {} : { link: signal.link }),
      evidenceDigest: signal.evidenceDigest,
      evidenceAt: new Date(signal.evidenceAt).toISOString(),
    },
    customDataContentType: 'application/json',
  });
  return { id: message.id, source, type, subject: subject.id, time, data };
}

function whatHappened({ signal }: SinkMessage, { environment }: Pick<WebhookSinkConfig, 'environment'>) {
  const { action, service } = signal;
  switch (action) {
    case 'rollback':
      return {
        type: 'dev.cdevents.incident.detected.0.3.0',
        // One incident for a rollout's generation, whatever else is found of it.
        subject: {
          id: `${signal.rolloutId}/${signal.generation}`,
          content: { description: signal.summary, environment: { id: environment }, service: { id: service } },
        },
      };
    case 'rolled_back':
      return {
        type: 'dev.cdevents.service.rolledback.0.3.0',
        subject: {
          id: service,
          content: { environment: { id: environment }, artifactId: packageUrl(service, signal.rolledBackTo ?? null) },
        },
      };
    case 'promote':
    case 'hold':
      throw new PermanentError('refused', `signal ${signal.id}: CDEvents have no event for ${action}`);
    default:
      return action satisfies never;
  }
}

/** Joins the events of one generation of a rollout. Made like a UUID of version 5, as chain ids are UUIDs (CDEvents links). */
function chainId(rolloutId: string, generation: number): string {
  const bytes = createHash('sha1')
    .update(JSON.stringify(['slipstream rollout', rolloutId, generation]))
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
