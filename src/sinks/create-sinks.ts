/** Makes the sinks that the configuration names. */
import type { Writable } from 'node:stream';
import type { SinkConfig } from '../config/sink-config.ts';
import type { KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import { PermanentError } from '../model/errors.ts';
import type { EpochMs } from '../model/time.ts';
import { ArgoRolloutsSink } from './argo-rollouts/argo-rollouts-sink.ts';
import { KubernetesSink } from './kubernetes/kubernetes-sink.ts';
import { createNotifier } from './notices/create-notifier.ts';
import { NotifierSink } from './notices/notifier-sink.ts';
import { PrintSink } from './print-sink.ts';
import type { Sink } from './sink.ts';
import { WebhookSink } from './webhook-sink.ts';

/** What sinks that act upon a Kubernetes cluster need. */
export interface ClusterParts {
  readonly kubernetes: KubernetesApi;
  /** Which of us tells it in Events: the host or the pod. */
  readonly instance: string;
  /** An Event could not be made, which changes nothing else. */
  onEventLost(error: unknown): void;
}

export interface SinkParts {
  now(): EpochMs;
  readonly out: Writable;
  /** Null: there is none. */
  readonly cluster?: ClusterParts | null;
}

/** Sinks by name. Throws PermanentError for a sink that could never deliver. */
export function createSinks(configs: readonly SinkConfig[], parts: SinkParts): ReadonlyMap<string, Sink> {
  const sinks = new Map<string, Sink>();
  for (const config of configs) {
    if (sinks.has(config.name)) throw new PermanentError('invalid_sink', `sink ${config.name}: the name is taken`);
    sinks.set(config.name, createSink(config, parts));
  }
  return sinks;
}

function createSink(config: SinkConfig, parts: SinkParts): Sink {
  switch (config.type) {
    case 'webhook':
      return new WebhookSink(config, parts.now);
    case 'print':
      return new PrintSink(config.name, parts.out, config.isDryRun);
    case 'argo-rollouts':
      return new ArgoRolloutsSink(config, clusterFor(config, parts));
    case 'kubernetes':
      return new KubernetesSink(config, clusterFor(config, parts));
    case 'alertmanager':
    case 'slack':
    case 'pagerduty':
      return new NotifierSink(createNotifier(config, parts.now), config.isDryRun);
    default:
      return config satisfies never;
  }
}

function clusterFor({ name, type }: SinkConfig, { cluster }: SinkParts): ClusterParts {
  if (cluster === undefined || cluster === null) throw new PermanentError('invalid_sink', `sink ${name}: ${type} needs a cluster`);
  return cluster;
}
