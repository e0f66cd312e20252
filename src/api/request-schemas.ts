/** What the API takes: bodies and queries, strict, with a message per mistake. */
import { z } from 'zod';
import { DURATION_PATTERN } from '../config/quantity.ts';
import { TARGET_KINDS } from '../model/rollout.ts';
import { durationMs } from './duration.ts';

/** Names that would reach an object's prototype. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const MAX_MATCHER_ATTRIBUTES = 16;
const MAX_DURATION_CHARS = 64;

const durationText = z
  .string()
  .max(MAX_DURATION_CHARS)
  .regex(new RegExp(DURATION_PATTERN), { error: 'must be a duration like 60s', abort: true });

const requestedMatcher = z
  .record(z.string().min(1).max(256), z.string().min(1).max(1024))
  .refine((attributes) => Object.keys(attributes).length > 0, 'names no attribute: an empty matcher matches nothing')
  .refine((attributes) => Object.keys(attributes).length <= MAX_MATCHER_ATTRIBUTES, `names more than ${MAX_MATCHER_ATTRIBUTES} attributes`)
  .refine((attributes) => !Object.keys(attributes).some((key) => FORBIDDEN_KEYS.has(key)), 'names an attribute that cannot exist')
  .meta({
    description: 'Resource attributes of the release, all of which must have exactly these values.',
    minProperties: 1,
    maxProperties: MAX_MATCHER_ATTRIBUTES,
  });

const kubernetesName = z
  .string()
  .regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/, 'must be a name of Kubernetes: small letters, digits, - and .');

const requestedTarget = z
  .strictObject({
    kind: z.enum(TARGET_KINDS).describe('What is rolled out.'),
    namespace: kubernetesName,
    name: kubernetesName,
    fence: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be 1 to 128 of the characters A-Z a-z 0-9 . _ -')
      .describe(
        'pod-template-hash of the canary (Rollout), revision (Deployment), checksum (Canary): a signal acts only while the object still has it.',
      ),
    previous: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be 1 to 128 of the characters A-Z a-z 0-9 . _ -')
      .exactOptional()
      .describe(
        'What served before, by the same kind of name: what an undo puts back. Left out: what the deploy system has as its revision before.',
      ),
  })
  .describe('The object of the deploy system, for sinks that act on it.');

export const startRollout = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$/, 'must be 1 to 128 of the characters A-Z a-z 0-9 . _ : ~ -')
    .optional()
    .describe('Name of the rollout; without it, it is derived from service, canary and generation.'),
  service: z.string().min(1).max(512).describe('service.name, or service.namespace/service.name.'),
  baseline: requestedMatcher,
  canary: requestedMatcher,
  generation: z
    .number()
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .describe('Grows with each attempt; signals of an older generation are not acted upon.'),
  deadline: z
    .union([z.iso.datetime({ offset: true }), durationText], 'must be a time like 2026-01-31T12:00:00Z or a duration like 30m')
    .optional()
    .describe('By when a verdict is wanted, as a time or a duration from the start. Default: the horizon of the policy.'),
  startedAt: z.iso
    .datetime({ offset: true, error: 'must be a time like 2026-01-31T12:00:00Z' })
    .optional()
    .describe('When traffic began to move.'),
  target: requestedTarget.optional(),
  canaryShare: z
    .number()
    .gt(0, 'must be above 0 and at most 1')
    .max(1, 'must be above 0 and at most 1')
    .optional()
    .describe(
      'Share of the requests that the canary is meant to get now. Send the rollout again with the same generation when it changes; left out, it stays as it was.',
    ),
});

const MAX_WINDOW = '90d';

const windowText = durationText.refine((text) => within(text, '1s', MAX_WINDOW), `must be 1s to ${MAX_WINDOW}`);

export const statusQuery = z.strictObject({
  window: windowText.default('60s').describe(`How far back rates and latencies reach, 1s to ${MAX_WINDOW}.`),
  service: z.string().min(1).max(512).optional().describe('Only this service.'),
});

export const latencyQuery = z.strictObject({
  service: z.string().min(1).max(512).describe('Whose endpoint.'),
  endpoint: z.string().min(1).max(1024).describe('As the status names it, such as `POST /checkout`.'),
  release: z.string().min(1).max(512).optional().describe('Only this release, as the status names it. Default: all together.'),
  window: windowText.default('60s').describe(`How far back it reaches, 1s to ${MAX_WINDOW}.`),
});

export const listQuery = z.strictObject({
  service: z.string().min(1).max(512).optional().describe('Only this service.'),
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe('At most so many, newest first.'),
});

export const signalsQuery = z.strictObject({ limit: listQuery.shape.limit });

function within(text: string, low: string, high: string): boolean {
  const ms = durationMs(text);
  return ms !== null && ms >= (durationMs(low) ?? 0) && ms <= (durationMs(high) ?? 0);
}
