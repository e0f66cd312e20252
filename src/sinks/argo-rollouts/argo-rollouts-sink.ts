/** Aborts, undoes and promotes Argo Rollouts by their own API, and never one that is newer than what was judged. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArgoRolloutsSinkConfig } from '../../config/sink-config.ts';
import { createEvent, type EventAbout } from '../../kubernetes/event.ts';
import { gitOpsOwner } from '../../kubernetes/gitops-owner.ts';
import { type CallOptions, type KubernetesApi, KubernetesRefusal } from '../../kubernetes/kubernetes-api.ts';
import { ROLLOUTS_API, type RolloutObject, rolloutPath, standOf } from '../../kubernetes/rollout-object.ts';
import { PermanentError, RetryableError } from '../../model/errors.ts';
import type { RolloutTarget, SignalAction } from '../../model/rollout.ts';
import { visible } from '../../model/safe-text.ts';
import type { Attempt, ReadBack, Receipt, Sink, SinkMessage } from '../sink.ts';
import { abortPlan } from './abort-plan.ts';
import type { Plan, PlannedPatch } from './plan.ts';
import { promotePlan } from './promote-plan.ts';
import { promotionSeen, rollbackSeen } from './rollout-read-back.ts';
import { hashOf, type TemplateHolder, type UndoScene, undoMark, undoneFurther, undoPlan, workloadPath } from './undo-plan.ts';

/** The controller, autoscalers and a second Slipstream change the same object: so often it is looked at again at once. */
const MAX_LOOKS = 6;
/** The controller usually takes a tenth of a second; with 12 waits of 150 ms there is time to nudge it, and the rest is left to the next attempt. */
const MAX_WAITS = 12;
const WAIT_MS = 150;
const NUDGE_EVERY = 4;
const EVENT_MS = 3_000;
const EVENT_ACTIONS = { rollback: 'Rollback', promote: 'Promote', hold: 'Hold', rolled_back: 'None' } as const;

export interface ArgoRolloutsParts {
  readonly kubernetes: KubernetesApi;
  /** Which of us tells it in Events: the host or the pod. */
  readonly instance: string;
  /** An Event could not be made, which changes nothing else. */
  onEventLost(error: unknown): void;
}

/**
 * Looks, acts on exactly what was seen, and looks again when that has changed meanwhile. All it knows of earlier attempts it reads off the Rollout, so
 * that lost answers, restarts and a second replica come to one effect.
 */
export class ArgoRolloutsSink implements Sink {
  readonly name: string;
  /** With `hold` it only leaves an Event. */
  readonly actions: ReadonlySet<SignalAction>;
  readonly kinds = new Set(['Rollout'] as const);
  readonly #config: ArgoRolloutsSinkConfig;
  readonly #parts: ArgoRolloutsParts;

  constructor(config: ArgoRolloutsSinkConfig, parts: ArgoRolloutsParts) {
    this.name = config.name;
    this.actions = new Set<SignalAction>(config.onPromote === 'nothing' ? ['rollback', 'hold'] : ['rollback', 'hold', 'promote']);
    this.#config = config;
    this.#parts = parts;
  }

  async deliver(message: SinkMessage, attempt: Attempt): Promise<Receipt> {
    const act = `delivering signal ${message.id} to argo-rollouts ${this.name}`;
    const target = targetOf(message, act);
    const call = { ...this.#call(attempt.abort), mayStillAct: () => attempt.mayStillAct() };
    try {
      return message.signal.action === 'hold' ? await this.#hold(message, target, call) : await this.#carryOut(message, target, call);
    } catch (error) {
      throw told(error, act);
    }
  }

  async readBack(message: SinkMessage, abort: AbortSignal): Promise<ReadBack> {
    const act = `reading back signal ${message.id} from argo-rollouts ${this.name}`;
    const target = targetOf(message, act);
    const call = this.#call(abort);
    try {
      const rollout = await this.#rollout(target, call);
      if (rollout === null) return { state: 'superseded', detail: 'the Rollout is gone' };
      if (message.signal.action === 'hold') return { state: 'confirmed', detail: 'people were told by an Event' };
      if (message.signal.action === 'promote') return promotionSeen(rollout, target, message);
      const seen = rollbackSeen(rollout, target, message);
      return seen.state === 'confirmed' ? { ...seen, detail: `${seen.detail}${await this.#imageText(target, rollout, call)}` } : seen;
    } catch (error) {
      throw told(error, act);
    }
  }

  #call(abort: AbortSignal): CallOptions {
    return { abort, timeoutMs: this.#config.timeoutMs };
  }

  async #carryOut(message: SinkMessage, target: RolloutTarget, call: CallOptions): Promise<Receipt> {
    const isDryRun = this.#config.isDryRun;
    let failed = '';
    let hasActed = false;
    for (let look = 0, waits = 0; look < MAX_LOOKS; ) {
      const rollout = await this.#rollout(target, call);
      if (rollout === null) throw new PermanentError('superseded', 'the Rollout is gone');
      const plan = await this.#plan(rollout, target, message, call);
      switch (plan.kind) {
        case 'done':
          if (hasActed) await this.#tell(rollout, message, message.signal.action === 'promote' ? 'Promoted' : 'RolledBack', '', call);
          return isDryRun ? 'dry_run' : 'acknowledged';
        case 'wait':
          if (++waits > MAX_WAITS || isDryRun) throw new RetryableError('not_observed', plan.detail);
          if (plan.nudge !== null && waits % NUDGE_EVERY === 0) await this.#patched(plan.nudge, call);
          await paused(call.abort);
          continue;
        case 'refuse':
          if (plan.refusal === 'declined') await this.#tell(rollout, message, 'SignalDeclined', ` Nothing was done: ${plan.detail}.`, call);
          throw new PermanentError(plan.refusal, plan.detail);
        case 'patch':
          break;
        default:
          plan satisfies never;
      }
      look++;
      const patch = JSON.stringify(plan.patch);
      const movedOn = await this.#patched(plan.patch, { ...call, dryRun: isDryRun });
      if (movedOn !== null) {
        // 422 for a test that failed as for a patch that never could succeed: the latter fails again on the very same object.
        if (movedOn.status !== 409 && failed === patch) throw movedOn;
        failed = patch;
        continue;
      }
      if (isDryRun) return 'dry_run';
      hasActed = true;
    }
    throw new RetryableError('conflict', `it changed ${MAX_LOOKS} times while it was looked at`);
  }

  /** The Rollout goes on as it is. */
  async #hold(message: SinkMessage, target: RolloutTarget, call: CallOptions): Promise<Receipt> {
    const rollout = await this.#rollout(target, call);
    if (rollout === null) throw new PermanentError('superseded', 'the Rollout is gone');
    const { canary } = standOf(rollout);
    if (canary !== target.fence) throw new PermanentError('superseded', `the newest release is ${canary || 'not known yet'}`);
    const dryRun = this.#config.isDryRun;
    await createEvent(this.#parts.kubernetes, this.#event(rollout, message, 'Held', ''), { ...call, dryRun });
    return dryRun ? 'dry_run' : 'confirmed';
  }

  /** What was done or not done stays so, whether people can be told in the cluster or not. */
  async #tell(rollout: RolloutObject, message: SinkMessage, reason: string, more: string, { abort }: CallOptions): Promise<void> {
    if (this.#config.isDryRun) return;
    try {
      await createEvent(this.#parts.kubernetes, this.#event(rollout, message, reason, more), { abort, timeoutMs: EVENT_MS });
    } catch (error) {
      this.#parts.onEventLost(error);
    }
  }

  #event(rollout: RolloutObject, { id, signal, decidedAt }: SinkMessage, reason: string, more: string): EventAbout {
    return {
      about: { ...rollout, apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' },
      key: id,
      type: signal.action === 'promote' ? 'Normal' : 'Warning',
      reason,
      action: EVENT_ACTIONS[signal.action],
      note: `${signal.link === null ? '' : `${signal.link} `}${signal.summary}${more}`,
      at: decidedAt,
      instance: this.#parts.instance,
    };
  }

  /** Null when it was taken; how it was refused when the object may have moved on. */
  async #patched({ path, steps }: PlannedPatch, call: CallOptions): Promise<KubernetesRefusal | null> {
    try {
      await this.#parts.kubernetes.jsonPatch(path, steps, call);
      return null;
    } catch (error) {
      if (error instanceof KubernetesRefusal && [404, 409, 422].includes(error.status)) return error;
      throw error;
    }
  }

  async #plan(rollout: RolloutObject, target: RolloutTarget, message: SinkMessage, call: CallOptions): Promise<Plan> {
    const { action } = message.signal;
    if (rollout.metadata.deletionTimestamp !== undefined)
      return { kind: 'refuse', refusal: 'superseded', detail: 'the Rollout is being deleted' };
    if (action === 'promote' && this.#config.onPromote !== 'nothing') return promotePlan(this.#config.onPromote, rollout, target, message);
    if (action !== 'rollback') return { kind: 'refuse', refusal: 'refused', detail: `it does nothing with ${action}` };
    const mark = undoMark(rollout, message.id);
    if (mark?.undone === target.fence) return undoneFurther(await this.#undoScene(rollout, target, call), mark, target);
    const plan = abortPlan(rollout, target);
    if (plan !== null) return plan;
    if (this.#config.onBadAfterPromotion === 'nothing') {
      return { kind: 'refuse', refusal: 'declined', detail: 'the judged release is promoted in full, and onBadAfterPromotion is nothing' };
    }
    return undoPlan(await this.#undoScene(rollout, target, call), target, message);
  }

  /** Null when it is gone, also when another was made in its place. A cluster that knows no Rollouts at all is the wrong one, or not ready. */
  async #rollout({ namespace, name, uid }: RolloutTarget, call: CallOptions): Promise<RolloutObject | null> {
    const { kubernetes } = this.#parts;
    const rollout = await kubernetes.get<RolloutObject>(rolloutPath(namespace, name), call);
    if (rollout === null && (await kubernetes.get(ROLLOUTS_API, call)) === null) {
      throw new PermanentError('misdirected', 'this cluster has no Argo Rollouts');
    }
    return uid !== undefined && rollout !== null && rollout.metadata.uid !== uid ? null : rollout;
  }

  async #undoScene(rollout: RolloutObject, { namespace }: RolloutTarget, call: CallOptions): Promise<UndoScene> {
    const { kubernetes } = this.#parts;
    const reference = rollout.spec?.workloadRef;
    const workload = reference === undefined ? null : await this.#workload(namespace, reference, call);
    const selector = rollout.status?.selector;
    const all = await kubernetes.list<TemplateHolder>(
      `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/replicasets`,
      selector === undefined || selector === '' ? {} : { labelSelector: selector },
      call,
    );
    const isOwned = ({ metadata }: TemplateHolder): boolean =>
      metadata.ownerReferences?.some(({ uid, controller }) => controller === true && uid === rollout.metadata.uid) ?? false;
    return { rollout, workload, replicaSets: all.filter(isOwned), owner: gitOpsOwner(workload ?? rollout) ?? gitOpsOwner(rollout) };
  }

  async #workload(
    namespace: string,
    { kind, name = '' }: { readonly kind?: string; readonly name?: string },
    call: CallOptions,
  ): Promise<TemplateHolder | undefined> {
    if (kind !== 'Deployment' || name === '') return undefined;
    return (await this.#parts.kubernetes.get<TemplateHolder>(workloadPath(namespace, name), call)) ?? undefined;
  }

  /** Which images serve now, where we may look; people know releases by them. */
  async #imageText(target: RolloutTarget, rollout: RolloutObject, call: CallOptions): Promise<string> {
    try {
      const { replicaSets } = await this.#undoScene(rollout, target, call);
      const serving = replicaSets.find((set) => hashOf(set) === standOf(rollout).stable);
      const images = serving?.spec?.template?.spec?.containers?.flatMap(({ image }) => image ?? []) ?? [];
      return images.length === 0 ? '' : `: ${visible(images.slice(0, 4).join(', ')).slice(0, 512)}`;
    } catch (error) {
      if (error instanceof KubernetesRefusal) return '';
      throw error;
    }
  }
}

/** Ends when it is stopped; the next call says so. */
async function paused(abort: AbortSignal): Promise<void> {
  await sleep(WAIT_MS, undefined, { signal: abort }).catch(() => undefined);
}

function targetOf({ signal }: SinkMessage, act: string): RolloutTarget {
  if (signal.target?.kind === 'Rollout') return signal.target;
  throw new PermanentError(
    'refused',
    `${act}: ${signal.target === null ? 'it names no object' : `${signal.target.kind} is not a Rollout`}`,
  );
}

/** As the one who delivers knows failures; the API server's words are kept, bounded. */
function told(error: unknown, act: string): unknown {
  if (error instanceof RetryableError) {
    const { code, retryAfterMs, cause, message } = error;
    return new RetryableError(code, `${act}: ${message}`, { cause, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  if (error instanceof PermanentError) return new PermanentError(error.code, `${act}: ${error.message}`, { cause: error.cause });
  if (!(error instanceof KubernetesRefusal)) return error;
  const text = `${act}: the API server answers ${error.status} ${visible(error.reason).slice(0, 64)}: ${visible(error.message).slice(0, 512)}`;
  const isMisdirected = error.status === 401 || error.status === 403 || error.status === 404 || error.status < 400;
  return new PermanentError(isMisdirected ? 'misdirected' : 'refused', text, { cause: error });
}
