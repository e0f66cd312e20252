/** Signals as CDEvents have all that version 0.5.1 demands, and nothing that it does not know. */
import { fc, test } from '@fast-check/vitest';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { RolloutTarget, Signal } from '../../src/model/rollout.ts';
import { CD_EVENT_ACTIONS, cdEvent } from '../../src/sinks/cd-events.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';

const CONFIG = { eventSource: '/slo/cluster-a', environment: 'prod' };
const INCIDENT = 'dev.cdevents.incident.detected.0.3.0';
const ROLLED_BACK = 'dev.cdevents.service.rolledback.0.3.0';
const TARGET: RolloutTarget = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: '7c9f8d5b6' };

const text = { type: 'string', minLength: 1 };
const uriReference = { type: 'string', pattern: "^(?:[A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$" };
const uuid = { type: 'string', pattern: '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$' };
const dateTime = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d+)?(?:Z|[+-]\\d{2}:\\d{2})$' };

/** Exactly these keys, of which `needed` must be there. */
function keys(properties: Record<string, unknown>, needed: readonly string[]) {
  return { type: 'object', properties, required: needed, additionalProperties: false };
}
const reference = keys({ id: text, source: uriReference }, ['id']);

/** What the specification of CDEvents 0.5.1 demands (spec.md; continuous-operations.md and continuous-deployment.md for the contents). */
function demands(type: string, content: object) {
  const context = {
    specversion: { const: '0.5.1' },
    id: text,
    source: uriReference,
    type: { const: type },
    timestamp: dateTime,
    schemaUri: text,
    chainId: uuid,
    links: { type: 'array' },
  };
  return keys(
    {
      context: keys(context, ['specversion', 'id', 'source', 'type', 'timestamp']),
      subject: keys({ id: text, source: uriReference, content }, ['id', 'content']),
      customData: { type: 'object' },
      customDataContentType: text,
    },
    ['context', 'subject'],
  );
}

const ajv = new Ajv2020({ strict: true, allErrors: true });
const isIncident = ajv.compile(
  demands(
    INCIDENT,
    keys({ description: { type: 'string' }, environment: reference, service: reference, artifactId: text }, ['environment']),
  ),
);
const isRolledBack = ajv.compile(
  demands(
    ROLLED_BACK,
    keys({ environment: reference, artifactId: { type: 'string', pattern: '^pkg:[a-z]+/' } }, ['environment', 'artifactId']),
  ),
);

function eventOf(change: Partial<Signal> = {}) {
  const event = cdEvent(messageOf(sampleSignal(change), DECIDED_AT), CONFIG);
  return { event, data: JSON.parse(event.data) };
}

describe('a rollback', () => {
  it('is an incident of the service in the environment', () => {
    const { event, data } = eventOf({ target: TARGET, link: 'https://slipstream.example/runs/checkout-42' });
    expect(event).toMatchObject({
      id: sampleSignal().id,
      source: '/slo/cluster-a',
      type: INCIDENT,
      subject: 'checkout-42/7',
      time: '2026-01-02T03:04:05.678Z',
    });
    expect(data).toEqual({
      context: {
        specversion: '0.5.1',
        id: sampleSignal().id,
        source: '/slo/cluster-a',
        type: INCIDENT,
        timestamp: '2026-01-02T03:04:05.678Z',
        chainId: 'b0fc48a6-b5eb-5987-a433-c1c60b5fdd34',
      },
      subject: {
        id: 'checkout-42/7',
        source: '/slo/cluster-a',
        content: {
          description: 'errors POST /checkout: 31 of 400 against 2 of 4000',
          environment: { id: 'prod' },
          service: { id: 'checkout' },
        },
      },
      customData: {
        rolloutId: 'checkout-42',
        generation: 7,
        policyId: 'default',
        reason: 'harm_proven',
        target: TARGET,
        link: 'https://slipstream.example/runs/checkout-42',
        evidenceDigest: 'e'.repeat(64),
        evidenceAt: '2026-01-02T03:04:01.678Z',
      },
      customDataContentType: 'application/json',
    });
    expect(isIncident(data)).toBe(true);
  });

  test.prop([
    fc.record({
      rolloutId: fc.string({ unit: 'binary', minLength: 1 }),
      service: fc.string({ unit: 'binary', minLength: 1 }),
      summary: fc.string({ unit: 'binary' }),
      generation: fc.nat(),
      target: fc.constantFrom(null, TARGET),
      link: fc.constantFrom(null, 'https://slipstream.example/'),
    }),
  ])('has what is demanded of an incident, whatever its names', (change) => {
    expect([isIncident(eventOf(change).data), isIncident.errors]).toEqual([true, null]);
  });
});

describe('a rollback that was seen', () => {
  it.each<[string, Partial<Signal>, string]>([
    ['by its hash', { rolledBackTo: '5d21c4' }, 'pkg:generic/checkout@5d21c4'],
    ['by its image', { rolledBackTo: 'ghcr.io/shop/checkout:1.3' }, 'pkg:oci/checkout?repository_url=ghcr.io/shop/checkout&tag=1.3'],
    ['not at all', {}, 'pkg:generic/checkout'],
  ])('is a service rolled back, to what the deploy system names %s', (_, change, artifactId) => {
    const { event, data } = eventOf({ action: 'rolled_back', ...change });
    expect(event).toMatchObject({ type: ROLLED_BACK, subject: 'checkout' });
    expect(data.subject).toEqual({ id: 'checkout', source: '/slo/cluster-a', content: { environment: { id: 'prod' }, artifactId } });
    expect(data.customData).toMatchObject({ rolloutId: 'checkout-42', generation: 7, reason: 'harm_proven' });
    expect([isRolledBack(data), isRolledBack.errors]).toEqual([true, null]);
  });

  test.prop([fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 })])(
    'has what is demanded, whatever serves now',
    (service, rolledBackTo) => {
      expect([isRolledBack(eventOf({ action: 'rolled_back', service, rolledBackTo }).data), isRolledBack.errors]).toEqual([true, null]);
    },
  );
});

describe('the chain of an event', () => {
  const chainOf = (change: Partial<Signal>): string => eventOf(change).data.context.chainId;

  it('joins the incident and the rollback of one generation of a rollout', () => {
    expect(chainOf({ action: 'rolled_back' })).toBe(chainOf({}));
  });

  it.each<[string, Partial<Signal>]>([
    ['generation', { generation: 8 }],
    ['rollout', { rolloutId: 'checkout-43' }],
  ])('is another for another %s', (_, change) => {
    expect(chainOf(change)).not.toBe(chainOf({}));
  });
});

describe('what has no event', () => {
  it.each(['promote', 'hold'] as const)('%s is not asked for, and refused', (action) => {
    expect(CD_EVENT_ACTIONS).not.toContain(action);
    expect(() => eventOf({ action })).toThrow(expect.objectContaining({ name: 'PermanentError', code: 'refused' }));
  });
});
