/** What a webhook sends for a signal in each of its formats: the same bytes for every attempt. */
import type { WebhookSinkConfig } from '../config/sink-config.ts';
import type { SignalAction } from '../model/rollout.ts';
import { CD_EVENT_ACTIONS, cdEvent } from './cd-events.ts';
import { binaryRequest, type CloudEvent, type EventRequest, structuredRequest } from './cloud-events.ts';
import { ALL_RUN_ACTIONS, type SinkMessage } from './sink.ts';

export interface WebhookFormatting {
  readonly actions: ReadonlySet<SignalAction>;
  /** A function of the message alone. */
  request(message: SinkMessage): EventRequest;
}

export function webhookFormatting(config: WebhookSinkConfig): WebhookFormatting {
  switch (config.format) {
    case 'standard':
      return { actions: ALL_RUN_ACTIONS, request: ({ body }) => ({ headers: { 'content-type': 'application/json' }, body }) };
    case 'cloudevents-structured':
      return { actions: ALL_RUN_ACTIONS, request: (message) => structuredRequest(ownEvent(message, config.eventSource)) };
    case 'cloudevents-binary':
      return { actions: ALL_RUN_ACTIONS, request: (message) => binaryRequest(ownEvent(message, config.eventSource)) };
    case 'cdevents':
      // Structured, since the signature covers the body only.
      return { actions: CD_EVENT_ACTIONS, request: (message) => structuredRequest(cdEvent(message, config)) };
    default:
      return config.format satisfies never;
  }
}

/** Our payload as an event: what it says of type and time becomes attributes, and its `data` is the event's. */
function ownEvent(message: SinkMessage, source: string): CloudEvent {
  const { type, timestamp, data } = JSON.parse(message.body) as { type: string; timestamp: string; data: unknown };
  return { id: message.id, source, type, subject: message.signal.rolloutId, time: timestamp, data: JSON.stringify(data) };
}
