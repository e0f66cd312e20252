/** Which rollouts a Deployment is in, by itself and its ReplicaSets. */
import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/kubernetes/deployment-object.ts';
import { type ReplicaSetNote, readDeployment } from '../../src/watches/deployments.ts';

const ATTRIBUTE = 'k8s.replicaset.name';
const set = (revision: number, pods: number, wanted = pods): ReplicaSetNote => ({
  name: `cart-${revision}`,
  ownerUid: 'u',
  revision,
  wanted,
  pods,
});

interface Shape {
  readonly revision?: string;
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly podAnnotations?: Record<string, string>;
  readonly paused?: boolean;
  readonly generation?: number;
}

function deployment({
  revision = '2',
  annotations = {},
  labels = {},
  podAnnotations = {},
  paused = false,
  generation = 1,
}: Shape = {}): Deployment {
  return {
    metadata: {
      name: 'cart',
      namespace: 'shop',
      uid: 'u',
      generation,
      labels,
      annotations: { ...annotations, 'deployment.kubernetes.io/revision': revision },
    },
    spec: { paused, template: { metadata: { annotations: podAnnotations } } },
    status: { observedGeneration: 1 },
  };
}

describe('a Deployment', () => {
  it('is in a rollout while two releases have pods: the one before is the baseline', () => {
    expect(readDeployment(deployment(), [set(1, 3), set(2, 1)], ATTRIBUTE)?.inFlight).toEqual({
      target: { kind: 'Deployment', namespace: 'shop', name: 'cart', fence: '2', previous: '1' },
      service: 'cart',
      revision: 2,
      baseline: { [ATTRIBUTE]: 'cart-1' },
      canary: { [ATTRIBUTE]: 'cart-2' },
      startedAt: null,
      canaryShare: null,
    });
  });

  it.each<[string, Shape, readonly ReplicaSetNote[]]>([
    ['is through: the old release has no pods', {}, [set(1, 0), set(2, 3)]],
    ['is new: there is no old release', { revision: '1' }, [set(1, 3)]],
    ['is paused', { paused: true }, [set(1, 3), set(2, 1)]],
    ['is scaled down to nothing', {}, [set(1, 1), set(2, 0, 0)]],
    ['is rolled back by us', { revision: '3', annotations: { 'slipstream.dev/rolled-back-from': '2' } }, [set(2, 2), set(3, 1)]],
    [
      'was rolled back by us a moment ago',
      { revision: '2', annotations: { 'slipstream.dev/rolled-back-from': '2' } },
      [set(1, 2), set(2, 1)],
    ],
  ])('is in none when it %s', (_, shape, sets) => {
    const reading = readDeployment(deployment(shape), sets, ATTRIBUTE);
    expect(reading).toMatchObject({ inFlight: null, target: { fence: shape.revision ?? '2' } });
  });

  it('is in one again when a newer release follows a rollback of ours', () => {
    const next = deployment({ revision: '4', annotations: { 'slipstream.dev/rolled-back-from': '2' } });
    expect(readDeployment(next, [set(3, 2), set(4, 1)], ATTRIBUTE)?.inFlight?.target.fence).toBe('4');
  });

  it.each<[string, Shape, readonly ReplicaSetNote[]]>([
    ['the controller has not seen its newest spec', { generation: 2 }, [set(1, 3), set(2, 1)]],
    ['its newest release has no ReplicaSet yet', {}, [set(1, 3)]],
    ['it has no revision yet', { revision: '' }, [set(1, 3)]],
    ['its revision is no number', { revision: 'x' }, [set(1, 3)]],
  ])('says nothing while %s', (_, shape, sets) => {
    expect(readDeployment(deployment(shape), sets, ATTRIBUTE)).toBeNull();
  });

  it('is compared with the old release that has most pods, of equals the newest', () => {
    const baselineOf = (...sets: ReplicaSetNote[]) =>
      readDeployment(deployment({ revision: '4' }), [...sets, set(4, 1)], ATTRIBUTE)?.inFlight?.baseline;
    expect(baselineOf(set(1, 1), set(2, 3), set(3, 2))).toEqual({ [ATTRIBUTE]: 'cart-2' });
    expect(baselineOf(set(1, 2), set(3, 2), set(2, 2))).toEqual({ [ATTRIBUTE]: 'cart-3' });
  });

  it.each<[string, Shape, string]>([
    [
      'our annotation',
      { annotations: { 'slipstream.dev/service': 'a' }, podAnnotations: { 'resource.opentelemetry.io/service.name': 'b' } },
      'a',
    ],
    [
      'what its pods are told',
      { podAnnotations: { 'resource.opentelemetry.io/service.name': 'b' }, labels: { 'app.kubernetes.io/name': 'c' } },
      'b',
    ],
    ['its label', { annotations: { 'slipstream.dev/service': '' }, labels: { 'app.kubernetes.io/name': 'c' } }, 'c'],
    ['its name', {}, 'cart'],
  ])('names its service by %s', (_, shape, service) => {
    expect(readDeployment(deployment(shape), [set(1, 3), set(2, 1)], ATTRIBUTE)?.inFlight?.service).toBe(service);
  });
});
