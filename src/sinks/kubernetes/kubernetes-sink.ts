/** Rolls back plain Deployments as `kubectl rollout undo` does, never a newer rollout than the one that was judged, and leaves an Event on them. */
import type { KubernetesSinkConfig } from '../../config/sink-config.ts';
import {
  APPS_API,
  type Deployment,
  deploymentPath,
  type ReplicaSet,
  revisionOf,
  rolloutStatus,
} from '../../kubernetes/deployment-object.ts';
import { createEvent } from '../../kubernetes/event.ts';
import { gitOpsOwner } from '../../kubernetes/gitops-owner.ts';
import { type CallOptions, type KubernetesApi, KubernetesRefusal } from '../../kubernetes/kubernetes-api.ts';
import { PermanentError, RetryableError } from '../../model/errors.ts';
import type { RolloutTarget, SignalAction } from '../../model/rollout.ts';
import { visible } from '../../model/safe-text.ts';
import type { Attempt, ReadBack, Receipt, Sink, SinkMessage } from '../sink.ts';
import { isDone, undoPlan } from './undo-patch.ts';

/** How often a Deployment that changes under our hands is looked at again at once. */
const MAX_LOOKS = 5;
const MAX_IMAGE_CHARS = 512;
const EVENT_MS = 3_000;

export interface KubernetesSinkParts {
  readonly kubernetes: KubernetesApi;
  /** Which of us tells it in Events: the host or the pod. */
  readonly instance: string;
  /** An Event could not be made, which changes nothing else. */
  onEventLost(error: unknown): void;
}

/** All it knows of earlier attempts it reads off the Deployment, so that lost answers, restarts and a second replica come to one effect. */
export class KubernetesSink implements Sink {
  readonly name: string;
  /** With `hold` it only leaves an Event. */
  readonly actions: ReadonlySet<SignalAction> = new Set<SignalAction>(['rollback', 'hold']);
  readonly kinds = new Set(['Deployment'] as const);
  readonly #config: KubernetesSinkConfig;
  readonly #parts: KubernetesSinkParts;

  constructor(config: KubernetesSinkConfig, parts: KubernetesSinkParts) {
    this.name = config.name;
    this.#config = config;
    this.#parts = parts;
  }

  async deliver(message: SinkMessage, attempt: Attempt): Promise<Receipt> {
    const act = `delivering signal ${message.id} to kubernetes ${this.name}`;
    const target = targetOf(message, act);
    const call = {
      abort: attempt.abort,
      timeoutMs: this.#config.timeoutMs,
      dryRun: this.#config.isDryRun,
      mayStillAct: () => attempt.mayStillAct(),
    };
    try {
      return message.signal.action === 'hold' ? await this.#hold(message, target, call) : await this.#rollBack(message, target, call);
    } catch (error) {
      throw toldAs(error, act);
    }
  }

  async readBack(message: SinkMessage, abort: AbortSignal): Promise<ReadBack> {
    const act = `reading back signal ${message.id} from kubernetes ${this.name}`;
    const target = targetOf(message, act);
    try {
      const deployment = await this.#deployment(target, { abort, timeoutMs: this.#config.timeoutMs });
      return deployment === null ? { state: 'superseded', detail: 'the Deployment is gone' } : seenOf(deployment, message, target);
    } catch (error) {
      throw toldAs(error, act);
    }
  }

  async #rollBack(message: SinkMessage, target: RolloutTarget, call: CallOptions): Promise<Receipt> {
    for (let look = 1; ; look++) {
      const deployment = await this.#deployment(target, call);
      if (deployment === null) throw new PermanentError('superseded', 'the Deployment is gone');
      const replicaSets = await this.#parts.kubernetes.list<ReplicaSet>(
        `${APPS_API}/namespaces/${encodeURIComponent(target.namespace)}/replicasets`,
        {},
        call,
      );
      const plan = undoPlan({ deployment, replicaSets, signalId: message.id, fence: target.fence, previous: target.previous });
      if (plan.kind === 'done') {
        await this.#tell(deployment, message, 'RolledBack', message.signal.summary, call);
        return this.#config.isDryRun ? 'dry_run' : 'acknowledged';
      }
      if (plan.kind === 'refuse') {
        if (plan.refusal === 'declined')
          await this.#tell(deployment, message, 'RollbackDeclined', `${message.signal.summary} Not rolled back: ${plan.detail}.`, call);
        throw new PermanentError(plan.refusal, plan.detail);
      }
      const owner = this.#config.isOwnedByGitOpsToo ? null : gitOpsOwner(deployment);
      if (owner !== null) {
        const detail = `the Deployment belongs to ${owner}, which would put the release back: roll back there`;
        await this.#tell(deployment, message, 'RollbackDeclined', `${message.signal.summary} Not rolled back: ${detail}.`, call);
        throw new PermanentError('declined', detail);
      }
      try {
        await this.#parts.kubernetes.jsonPatch(deploymentPath(target.namespace, target.name), plan.steps, call);
      } catch (error) {
        // 422 for a test that did not hold as for a change that is not valid; the latter stays so.
        const mayHaveMoved = error instanceof KubernetesRefusal && [404, 409, 422].includes(error.status);
        if (!mayHaveMoved) throw error;
        if (look === MAX_LOOKS) throw error.status === 409 ? new RetryableError('conflict', error.message, { cause: error }) : error;
        continue;
      }
      if (this.#config.isDryRun) return 'dry_run';
      await this.#tell(
        deployment,
        message,
        'RolledBack',
        `${message.signal.summary} Rolled back from revision ${target.fence} to the template of revision ${plan.toRevision}.`,
        call,
      );
      return 'acknowledged';
    }
  }

  async #hold(message: SinkMessage, target: RolloutTarget, call: CallOptions): Promise<Receipt> {
    const deployment = await this.#deployment(target, call);
    if (deployment === null) throw new PermanentError('superseded', 'the Deployment is gone');
    if (String(revisionOf(deployment)) !== target.fence)
      throw new PermanentError('superseded', `the Deployment is at revision ${revisionOf(deployment)}`);
    await createEvent(this.#parts.kubernetes, this.#event(deployment, message, 'Held', message.signal.summary), call);
    return this.#config.isDryRun ? 'dry_run' : 'confirmed';
  }

  /** Null when it is gone, also when another was made in its place. */
  async #deployment({ namespace, name, uid }: RolloutTarget, call: CallOptions): Promise<Deployment | null> {
    const deployment = await this.#parts.kubernetes.get<Deployment>(deploymentPath(namespace, name), call);
    return uid !== undefined && deployment !== null && deployment.metadata.uid !== uid ? null : deployment;
  }

  /** What was done or not done stays so, whether people can be told in the cluster or not. */
  async #tell(
    deployment: Deployment,
    message: SinkMessage,
    reason: string,
    note: string,
    { abort, dryRun = false }: CallOptions,
  ): Promise<void> {
    try {
      await createEvent(this.#parts.kubernetes, this.#event(deployment, message, reason, note), { abort, dryRun, timeoutMs: EVENT_MS });
    } catch (error) {
      this.#parts.onEventLost(error);
    }
  }

  #event(deployment: Deployment, message: SinkMessage, reason: string, summary: string) {
    const { link } = message.signal;
    return {
      about: { ...deployment, apiVersion: 'apps/v1', kind: 'Deployment' },
      key: message.id,
      type: 'Warning',
      reason,
      action: message.signal.action === 'hold' ? 'Hold' : 'Rollback',
      note: link === null ? summary : `${link} ${summary}`,
      at: message.decidedAt,
      instance: this.#parts.instance,
    } as const;
  }
}

/** What became of a rollback. Once the object has been at a newer revision than ours, nobody can tell any more. */
function seenOf(deployment: Deployment, message: SinkMessage, { fence }: RolloutTarget): ReadBack {
  const revision = revisionOf(deployment);
  if (message.signal.action === 'hold') return { state: 'confirmed', detail: 'people were told by an Event' };
  const wasDone = isDone(deployment, message.id, fence);
  if (revision > Number(fence) + (wasDone ? 1 : 0))
    return { state: 'superseded', detail: `the Deployment is at revision ${revision} already` };
  if (!wasDone) {
    return revision === Number(fence)
      ? { state: 'not_yet', detail: `the Deployment is at revision ${fence} still` }
      : { state: 'superseded', detail: `the Deployment is at revision ${revision}, so it is another one` };
  }
  if (revision === Number(fence)) return { state: 'not_yet', detail: 'the controller has not seen the rollback yet' };
  const { isDone: isThrough, detail } = rolloutStatus(deployment);
  const images = (deployment.spec?.template?.spec?.containers ?? []).flatMap(({ image }) => image ?? []);
  const rolledBackTo = images.length === 0 ? `revision ${revision}` : visible(images.join(', ')).slice(0, MAX_IMAGE_CHARS);
  return isThrough ? { state: 'confirmed', rolledBackTo, detail } : { state: 'not_yet', detail };
}

function targetOf({ signal }: SinkMessage, act: string): RolloutTarget {
  if (signal.target?.kind === 'Deployment') return signal.target;
  const what = signal.target === null ? 'the rollout names no object' : `it cannot act on a ${signal.target.kind}`;
  throw new PermanentError('declined', `${act}: ${what}, only on a Deployment`);
}

/** Errors of the API as those of a sink, each beginning with the act. */
function toldAs(error: unknown, act: string): unknown {
  if (error instanceof RetryableError) {
    const { code, message, cause, retryAfterMs } = error;
    return new RetryableError(code, `${act}: ${message}`, { cause, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  if (error instanceof PermanentError) return new PermanentError(error.code, `${act}: ${error.message}`, { cause: error.cause });
  if (!(error instanceof KubernetesRefusal)) return error;
  const isMisdirected = error.status < 400 || [401, 403, 404].includes(error.status);
  return new PermanentError(isMisdirected ? 'misdirected' : 'refused', `${act}: ${error.message}`, { cause: error });
}
