/** What an Argo Rollout says about runs, state by state, and which of it leads to a run. */
import { describe, expect, it } from 'vitest';
import type { RolloutObject } from '../../src/kubernetes/rollout-object.ts';
import { canaryShareOf, readRollout } from '../../src/watches/argo-rollouts.ts';
import { leadsToRun } from '../../src/watches/begin-anew.ts';

const ATTRIBUTE = 'k8s.pod.label.rollouts-pod-template-hash';
const MOVING = { observedGeneration: '5', currentPodHash: 'new', stableRS: 'old', replicas: 10, updatedReplicas: 2 };

function rollout(status: RolloutObject['status'], annotations: Record<string, string> = {}): RolloutObject {
  return {
    metadata: { name: 'checkout', namespace: 'shop', generation: 5, annotations: { 'rollout.argoproj.io/revision': '7', ...annotations } },
    spec: {},
    ...(status !== undefined && { status }),
  };
}

describe('reading a Rollout', () => {
  it('finds a canary on its way', () => {
    const target = { kind: 'Rollout', namespace: 'shop', name: 'checkout', fence: 'new', previous: 'old' };
    expect(readRollout(rollout(MOVING), ATTRIBUTE)).toEqual({
      target,
      isThrough: false,
      inFlight: {
        target,
        service: 'checkout',
        revision: 7,
        baseline: { [ATTRIBUTE]: 'old' },
        canary: { [ATTRIBUTE]: 'new' },
        startedAt: null,
        canaryShare: 0.2,
      },
    });
  });

  it.each<[string, RolloutObject['status'], Record<string, string>?]>([
    ['promoted in full', { ...MOVING, stableRS: 'new' }],
    ['aborted', { ...MOVING, abort: true }],
    ['on its way back after an undo of ours', MOVING, { 'slipstream.dev/rolled-back-from': 'old', 'slipstream.dev/rolled-back-to': 'new' }],
  ])('finds none in flight when it is %s', (_, status, annotations) => {
    expect(readRollout(rollout(status, annotations), ATTRIBUTE)).toMatchObject({ target: { fence: 'new' }, inFlight: null });
  });

  it('judges a release that comes after an undo of ours', () => {
    const annotations = { 'slipstream.dev/rolled-back-from': 'bad', 'slipstream.dev/rolled-back-to': 'old' };
    expect(readRollout(rollout(MOVING, annotations), ATTRIBUTE)?.inFlight).not.toBeNull();
  });

  it.each<[string, RolloutObject['status']]>([
    ['no status', undefined],
    ['no stable release', { observedGeneration: '5', currentPodHash: 'new' }],
    ['a spec that the controller has not seen', { ...MOVING, observedGeneration: '4' }],
  ])('says nothing with %s', (_, status) => {
    expect(readRollout(rollout(status), ATTRIBUTE)).toBeNull();
  });

  it.each<[string, RolloutObject['status'], number | null]>([
    [
      'by the weights at the router',
      { canary: { weights: { canary: { weight: 5 }, stable: { weight: 95 } } }, replicas: 2, updatedReplicas: 1 },
      0.05,
    ],
    ['by weights of any sum', { canary: { weights: { canary: { weight: 100 }, stable: { weight: 900 } } } }, 0.1],
    ['as unknown while the router sends it nothing', { canary: { weights: { canary: { weight: 0 }, stable: { weight: 100 } } } }, null],
    ['by pods where there is no router', { replicas: 8, updatedReplicas: 2 }, 0.25],
    ['as all when all pods are new', { replicas: 4, updatedReplicas: 4 }, 1],
    ['as unknown while it has no pods', { replicas: 4 }, null],
    ['as unknown with no pods at all', {}, null],
  ])('tells the share %s', (_, status, share) => {
    expect(canaryShareOf(rollout(status))).toBe(share);
  });
});

describe('a rollout that is told of', () => {
  const over = (generation: number) => ({ generation, isOver: true });
  const open = (generation: number) => ({ generation, isOver: false });
  it.each([
    ['begins a run at first sight', 'found', null, true],
    ['goes on with its run after a restart', 'found', open(7), true],
    ['begins none after a restart when its run is over', 'found', over(7), false],
    ['begins none after a restart when its run, of a later generation, is over', 'found', over(9), false],
    ['begins one when the run that is over was of an earlier revision of the same release', 'found', over(3), true],
    ['begins one when it was seen not to be in flight: somebody tries again', 'begun', over(7), true],
    ['begins anew at first sight what was undone before: somebody retried it', 'found', { ...over(7), isUndone: true }, true],
    ['tells a run that goes on of its share', 'going_on', open(7), true],
    ['begins none by a change of its share when its run is over', 'going_on', over(7), false],
  ] as const)('%s', (_, moment, known, leads) => {
    expect(leadsToRun({ revision: 7 }, moment, known)).toBe(leads);
  });
});
