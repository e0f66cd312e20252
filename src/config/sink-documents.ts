/** Turns the sinks, the escalation and the watches of a process document into what the rooms see, and checks what their schema cannot. */

import type { SecretReference } from './fields.ts';
import { nearestName } from './nearest-name.ts';
import type { Problem, YamlPath } from './problem.ts';
import type { ProcessDocument } from './process-schema.ts';
import type { Complaint } from './quantity.ts';
import { ed25519KeyComplaint, slackUrlComplaint, tokenComplaint, visibleTextComplaint, webhookSecretComplaint } from './read-secret.ts';
import type { Secret } from './secret.ts';
import { type EscalationConfig, type KubernetesConfig, type SinkConfig, TELLS_PEOPLE, type WatchConfig } from './sink-config.ts';
import type { SinkDocument } from './sink-schema.ts';
import type { SourceDocument } from './yaml-source.ts';

/** Reads a secret and notes what is wrong with it. */
export type ReadSecret = (reference: SecretReference, path: YamlPath, judge: (secret: Secret) => Complaint | null) => Secret;

export function sinkConfig(sink: SinkDocument, path: YamlPath, secret: ReadSecret): SinkConfig {
  const named = { name: sink.name, isDryRun: sink.dryRun };
  switch (sink.type) {
    case 'print':
      return { type: 'print', ...named };
    case 'webhook':
      return {
        type: 'webhook',
        ...named,
        url: sink.url,
        secrets: sink.secrets.map((reference, index) => secret(reference, [...path, 'secrets', index], webhookSecretComplaint)),
        signingKeys: sink.signingKeys.map((reference, index) => secret(reference, [...path, 'signingKeys', index], ed25519KeyComplaint)),
        format: sink.format,
        eventSource: sink.eventSource,
        environment: sink.environment,
        awaitsOutcome: sink.awaitOutcome,
        networks: sink.networks ?? null,
        timeoutMs: sink.timeout,
      };
    case 'argo-rollouts':
      return {
        type: 'argo-rollouts',
        ...named,
        onPromote: sink.onPromote,
        onBadAfterPromotion: sink.onBadAfterPromotion,
        timeoutMs: sink.timeout,
      };
    case 'kubernetes':
      return { type: 'kubernetes', ...named, isOwnedByGitOpsToo: sink.evenIfGitOps, timeoutMs: sink.timeout };
    case 'alertmanager':
      return {
        type: 'alertmanager',
        ...named,
        urls: sink.urls,
        token: sink.token === undefined ? null : secret(sink.token, [...path, 'token'], tokenComplaint),
        resendMs: sink.resend,
        ...notifying(sink),
      };
    case 'slack':
      return {
        type: 'slack',
        ...named,
        url: secret(sink.url, [...path, 'url'], slackUrlComplaint),
        ...notifying(sink),
      };
    case 'pagerduty':
      return {
        type: 'pagerduty',
        ...named,
        url: sink.url,
        routingKey: secret(sink.routingKey, [...path, 'routingKey'], visibleTextComplaint),
        ...notifying(sink),
      };
    default:
      return sink satisfies never;
  }
}

function notifying({ burns, networks, timeout }: Extract<SinkDocument, { burns: unknown }>) {
  return { burns, networks: networks ?? null, timeoutMs: timeout };
}

export function escalationConfig({ escalation }: ProcessDocument): EscalationConfig {
  return { afterMs: escalation.after, confirmWithinMs: escalation.confirmWithin, to: escalation.to };
}

export function kubernetesConfig({ kubernetes }: ProcessDocument): KubernetesConfig {
  return {
    server: kubernetes.server ?? null,
    tokenFile: kubernetes.tokenFile,
    caFile: kubernetes.caFile,
    lease: kubernetes.lease ?? null,
  };
}

const RELEASE_ATTRIBUTES = { 'argo-rollouts': 'k8s.pod.label.rollouts-pod-template-hash', deployments: 'k8s.replicaset.name' } as const;

export function watchConfigs({ watches }: ProcessDocument): readonly WatchConfig[] {
  return watches.map(({ type, namespaces, labelSelector, releaseAttribute }) => ({
    type,
    namespaces: [...new Set(namespaces)],
    labelSelector,
    releaseAttribute: releaseAttribute ?? RELEASE_ATTRIBUTES[type],
  }));
}

export function checkSinks(source: SourceDocument, document: ProcessDocument, problems: Problem[]): void {
  const names = new Set<string>();
  for (const [index, sink] of document.sinks.entries()) {
    if (names.has(sink.name))
      problems.push(source.problem(['sinks', index, 'name'], { message: `another sink is named \`${sink.name}\`` }));
    names.add(sink.name);
    if (sink.type === 'webhook' && sink.secrets.length + sink.signingKeys.length === 0) {
      const finding = { message: 'nothing to sign with', expected: 'at least one entry in `secrets` or `signingKeys`' };
      problems.push(source.problem(['sinks', index], finding));
    }
  }
  const telling = document.sinks.filter((sink) => TELLS_PEOPLE.has(sink.type)).map((sink) => sink.name);
  for (const [index, name] of document.escalation.to.entries()) {
    if (telling.includes(name)) continue;
    const message = names.has(name) ? `sink \`${name}\` tells no people` : `there is no sink \`${name}\``;
    const expected = 'the name of a sink of type alertmanager, slack or pagerduty';
    problems.push(source.problem(['escalation', 'to', index], { message, expected, suggestion: nearestName(name, telling) }));
  }
}

/** Attributes that tell the releases of watched rollouts apart must be among those that make a release. */
export function checkWatches(source: SourceDocument, document: ProcessDocument, problems: Problem[]): void {
  for (const [index, { releaseAttribute }] of watchConfigs(document).entries()) {
    if (document.spans.releaseBy.includes(releaseAttribute)) continue;
    const message = `\`${releaseAttribute}\` does not tell releases apart, so no span belongs to what is watched`;
    const expected = `one of ${document.spans.releaseBy.join(', ')}, or one more entry in \`spans.releaseBy\``;
    problems.push(source.problem(['watches', index], { message, expected }));
  }
}
