/** Makes the sinks that the configuration names. */
import type { Writable } from 'node:stream';
import type { SinkConfig } from '../config/sink-config.ts';
import { PermanentError } from '../model/errors.ts';
import type { EpochMs } from '../model/time.ts';
import { createNotifier } from './notices/create-notifier.ts';
import { NotifierSink } from './notices/notifier-sink.ts';
import { PrintSink } from './print-sink.ts';
import type { Sink } from './sink.ts';
import { WebhookSink } from './webhook-sink.ts';

/** Sinks by name. Throws PermanentError for a sink that could never deliver. */
export function createSinks(configs: readonly SinkConfig[], parts: { now(): EpochMs; readonly out: Writable }): ReadonlyMap<string, Sink> {
  const sinks = new Map<string, Sink>();
  for (const config of configs) {
    if (sinks.has(config.name)) throw new PermanentError('invalid_sink', `sink ${config.name}: the name is taken`);
    sinks.set(config.name, createSink(config, parts));
  }
  return sinks;
}

function createSink(config: SinkConfig, parts: { now(): EpochMs; readonly out: Writable }): Sink {
  switch (config.type) {
    case 'webhook':
      return new WebhookSink(config, parts.now);
    case 'print':
      return new PrintSink(config.name, parts.out, config.isDryRun);
    case 'argo-rollouts':
    case 'kubernetes':
      throw new PermanentError('invalid_sink', `sink ${config.name}: this build cannot ${config.type}`);
    case 'alertmanager':
    case 'slack':
    case 'pagerduty':
      return new NotifierSink(createNotifier(config, parts.now), config.isDryRun);
    default:
      return config satisfies never;
  }
}
