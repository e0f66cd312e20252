/** Which of a policy's sinks get a signal. */
import { describe, expect, it } from 'vitest';
import type { SignalAction, TargetKind } from '../../src/model/rollout.ts';
import { addressing } from '../../src/service/addressing.ts';
import { sampleSignal } from '../store/samples.ts';

const sinks = new Map<string, { readonly actions: ReadonlySet<SignalAction>; readonly kinds?: ReadonlySet<TargetKind> }>([
  ['argo', { actions: new Set(['rollback', 'promote'] as const), kinds: new Set(['Rollout'] as const) }],
  ['cluster', { actions: new Set(['rollback', 'hold'] as const), kinds: new Set(['Deployment'] as const) }],
  ['hook', { actions: new Set(['rollback', 'promote', 'hold'] as const) }],
]);

function sinksFor(action: SignalAction, kind: TargetKind | null, named: readonly string[]): readonly string[] {
  const target = kind === null ? null : { kind, namespace: 'shop', name: 'cart', fence: '2' };
  return addressing(sinks, null)(sampleSignal({ action, target, sinks: named })).sinks;
}

describe('a signal', () => {
  it.each<[string, SignalAction, TargetKind | null, readonly string[], readonly string[]]>([
    [
      'goes to sinks that act on its kind, and to those that need no object',
      'rollback',
      'Deployment',
      ['argo', 'cluster', 'hook'],
      ['cluster', 'hook'],
    ],
    ['goes to no sink for its kind that can do nothing with its action', 'promote', 'Deployment', ['argo', 'cluster', 'hook'], ['hook']],
    ['without a target goes to those that need none', 'rollback', null, ['argo', 'cluster', 'hook'], ['hook']],
    ['that no sink can act upon goes to all, so that it shows', 'rollback', 'Canary', ['argo', 'cluster'], ['argo', 'cluster']],
    ['keeps names that no sink has', 'rollback', 'Rollout', ['argo', 'cluster', 'gone'], ['argo', 'gone']],
  ])('%s', (_, action, kind, named, expected) => {
    expect(sinksFor(action, kind, named)).toEqual(expected);
  });
});

it.each(['breaker_open', 'common_cause', 'cool_down'] as const)(
  'a rollback withheld for %s is told to those who are told of trouble',
  (reason) => {
    const address = addressing(sinks, null, ['pager', 'hook']);
    expect(address(sampleSignal({ action: 'hold', reason, sinks: ['argo', 'hook'] })).sinks).toEqual(['hook', 'pager']);
    expect(address(sampleSignal({ action: 'hold', reason, sinks: ['argo'] })).sinks).toEqual(['pager', 'hook']);
    expect(address(sampleSignal({ action: 'hold', reason: 'deadline_passed', sinks: ['hook'] })).sinks).toEqual(['hook']);
    expect(address(sampleSignal({ action: 'rollback', sinks: ['hook'] })).sinks).toEqual(['hook']);
  },
);
