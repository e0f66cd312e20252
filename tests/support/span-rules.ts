/** Span rules for tests: the defaults a person would expect, and what a test wants otherwise. */
import type { SpanRules } from '../../src/model/span-rules.ts';

export const TEST_SPAN_RULES: SpanRules = {
  kinds: ['server', 'consumer'],
  entryOnly: true,
  exclude: new Map(),
  events: new Map(),
  releaseBy: ['k8s.pod.label.rollouts-pod-template-hash', 'service.version', 'deployment.environment.name'],
  instanceBy: ['k8s.pod.name', 'service.instance.id'],
  statusTreatment: new Map(),
  maxSkewMs: 5000,
  maxAgeMs: 3_600_000,
  maxDurationMs: 3_600_000,
  limits: { spansPerRequest: 100_000, attributesPerSpan: 128, depth: 16, nameBytes: 256 },
};
