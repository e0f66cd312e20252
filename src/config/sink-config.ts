/** Where signals and notices go, as the rooms see it after parsing. */
import type { DurationMs } from '../model/time.ts';
import type { Secret } from './secret.ts';

interface NamedSink {
  /** What policies call it. */
  readonly name: string;
  /** Everything is done but the effect itself: nothing is sent, or the other side is asked to check and store nothing. */
  readonly isDryRun: boolean;
}

/** What all sinks that make requests have in common. */
interface RequestingSink extends NamedSink {
  readonly timeoutMs: DurationMs;
}

/** Which addresses a name may resolve to. */
export interface NetworkRule {
  /** CIDR blocks, besides which none may be connected to; null: all but link-local, multicast and unspecified ones, loopback only when the URL says so itself. */
  readonly networks: readonly string[] | null;
}

export const WEBHOOK_FORMATS = ['standard', 'cloudevents-structured', 'cloudevents-binary', 'cdevents'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** All that a URI reference may be made of (RFC 3986). */
export const URI_REFERENCE = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-fA-F]{2})+$/;

export interface WebhookSinkConfig extends RequestingSink, NetworkRule {
  readonly type: 'webhook';
  readonly url: string;
  /** Standard Webhooks secrets (`whsec_…`, 24 to 64 bytes); requests are signed with all of them, so that keys can be rotated. */
  readonly secrets: readonly Secret[];
  /** Standard Webhooks ed25519 keys (`whsk_…`), likewise; of both together at least one. */
  readonly signingKeys: readonly Secret[];
  readonly format: WebhookFormat;
  /** `source` of events: which Slipstream this is, a URI reference. */
  readonly eventSource: string;
  /** `environment.id` of CDEvents. */
  readonly environment: string;
  /** The other side says by the API what became of a signal; until then it is not confirmed. */
  readonly awaitsOutcome: boolean;
}

export interface PrintSinkConfig extends NamedSink {
  readonly type: 'print';
}

/** Acts on Argo Rollouts. */
export interface ArgoRolloutsSinkConfig extends RequestingSink {
  readonly type: 'argo-rollouts';
  /** What a promotion leads to: nothing, the next step, or all of the traffic. */
  readonly onPromote: 'nothing' | 'step' | 'full';
  /** After full promotion: put the template of the stable release back (`undo`), or leave it to people. */
  readonly onBadAfterPromotion: 'undo' | 'nothing';
}

/** Acts on plain Deployments. */
export interface KubernetesSinkConfig extends RequestingSink {
  readonly type: 'kubernetes';
  /** Objects that Argo CD, Flux or Helm own are rolled back too, although their owner may undo it. */
  readonly isOwnedByGitOpsToo: boolean;
}

export interface AlertmanagerSinkConfig extends RequestingSink, NetworkRule {
  readonly type: 'alertmanager';
  /** One per Alertmanager of the cluster; each gets everything. */
  readonly urls: readonly string[];
  readonly token: Secret | null;
  /** Severities of burning budgets that it is told of. */
  readonly burns: readonly ('page' | 'ticket')[];
  /** What fires is sent again so often. */
  readonly resendMs: DurationMs;
}

export interface SlackSinkConfig extends RequestingSink, NetworkRule {
  readonly type: 'slack';
  /** The incoming webhook; whoever knows it can write there. */
  readonly url: Secret;
  readonly burns: readonly ('page' | 'ticket')[];
}

export interface PagerdutySinkConfig extends RequestingSink, NetworkRule {
  readonly type: 'pagerduty';
  /** Of the Events API v2. */
  readonly url: string;
  readonly routingKey: Secret;
  readonly burns: readonly ('page' | 'ticket')[];
}

export type NotifierSinkConfig = AlertmanagerSinkConfig | SlackSinkConfig | PagerdutySinkConfig;
export type SinkConfig = WebhookSinkConfig | PrintSinkConfig | ArgoRolloutsSinkConfig | KubernetesSinkConfig | NotifierSinkConfig;

/** Sinks that tell people, rather than a deploy system. */
export const TELLS_PEOPLE: ReadonlySet<SinkConfig['type']> = new Set([
  'alertmanager',
  'slack',
  'pagerduty',
] satisfies NotifierSinkConfig['type'][]);

/** When people are told of a delivery that does not get through or has no effect. */
export interface EscalationConfig {
  readonly afterMs: DurationMs;
  /** How long an acknowledged signal may stay without the effect that is read back. */
  readonly confirmWithinMs: DurationMs;
  /** Names of sinks that tell people; empty: only log and metrics do. */
  readonly to: readonly string[];
}

/** How the API server is reached. */
export interface KubernetesConfig {
  /** Null: as the pod's environment has it. */
  readonly server: string | null;
  /** Read again for every request: tokens of service accounts are renewed. Null: none is sent. */
  readonly tokenFile: string | null;
  /** Null: the certificates that the system trusts. */
  readonly caFile: string | null;
  /** Of several replicas the one that holds the lease acts first; null: none is taken. */
  readonly lease: { readonly namespace: string; readonly name: string } | null;
}

/** Rollouts that are seen in the deploy system begin and end runs by themselves. */
export interface WatchConfig {
  readonly type: 'argo-rollouts' | 'deployments';
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly labelSelector: string;
  /** The resource attribute of spans that holds the pod-template-hash, or the name of the ReplicaSet. */
  readonly releaseAttribute: string;
}
