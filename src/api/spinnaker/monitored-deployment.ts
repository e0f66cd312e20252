/** Which rollout a deployment of Spinnaker is: the same in every call about it, on every replica and after every restart. */
import type { RolloutTarget } from '../../model/rollout.ts';
import { rolloutIdOf } from '../../model/rollout-name.ts';
import type { ReleaseMatcher } from '../../model/series.ts';
import type { MonitorRequest } from './monitor-schemas.ts';

const MAX_NAMESPACE_CHARS = 40;
const MAX_NAME_CHARS = 128;

export interface MonitoredDeployment {
  readonly id: string;
  readonly target: RolloutTarget;
  readonly canary: ReleaseMatcher;
  /** Null: there is no old server group, and nobody named a baseline. */
  readonly baseline: ReleaseMatcher | null;
}

/** A server group has a new name in every deployment but for a stage that is started again, and `deploymentId` is never given twice: together they fence. */
export function monitoredDeployment(request: MonitorRequest): MonitoredDeployment {
  const { account, region, newServerGroup, oldServerGroup, deploymentId, parameters } = request;
  const { attribute } = parameters;
  const place = [account, region].filter((part) => typeof part === 'string' && part !== '').join('.');
  const target: RolloutTarget = {
    kind: 'ServerGroup',
    namespace: plain(place, MAX_NAMESPACE_CHARS),
    name: plain(bareName(newServerGroup), MAX_NAME_CHARS),
    fence: deploymentId,
  };
  const baseline = parameters.baseline ?? (oldServerGroup ? bareName(oldServerGroup) : null);
  return {
    id: rolloutIdOf(target),
    target,
    canary: { [attribute]: parameters.canary ?? bareName(newServerGroup) },
    baseline: baseline === null ? null : { [attribute]: baseline },
  };
}

/** Spinnaker calls Kubernetes objects `replicaSet shop-v003`. */
function bareName(serverGroup: string): string {
  return serverGroup.replace(/^[A-Za-z]+ +/, '');
}

/** In characters of which names of rollouts are made. */
function plain(text: string, maxChars: number): string {
  const safe = text.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, maxChars);
  return safe === '' ? 'none' : safe;
}
