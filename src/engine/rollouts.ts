/** The runs there are: starts them once per generation, supersedes, finds and forgets them. */
import { rolloutId } from '../decide/rollout-id.ts';
import type { ProcessLimits } from '../evaluate/canary/process-rules.ts';
import type { HistogramLayout } from '../model/histogram-layout.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { Rollout, RolloutTarget } from '../model/rollout.ts';
import type { ReleaseMatcher } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import { LiveRun } from './live-run.ts';
import type { Strictness } from './run-policy.ts';
import type { LiveRunState } from './saved-run.ts';
import type { TrialGround } from './trial.ts';

/** Finished runs are kept for questions, up to this many; the store keeps them longer. */
const MAX_FINISHED = 500;
export const MAX_ACTIVE_RUNS = 200;

export interface RolloutRequest {
  /** Given by the deploy system; derived from service and canary for rollouts found in the traffic. */
  readonly id?: string | undefined;
  readonly service: string;
  readonly baseline: ReleaseMatcher;
  readonly canary: ReleaseMatcher;
  /** Given by the deploy system; `next`: the one of the newest run of this id, unless that is over, or else one that is newer than all of the service, and at least `atLeast`. */
  readonly generation: number | { readonly kind: 'next'; readonly atLeast: number };
  readonly target?: RolloutTarget | null | undefined;
  readonly startedAt?: EpochMs | undefined;
  /** Until when the deploy system waits for an answer; the start plus the policy's horizon when absent. */
  readonly deadline?: EpochMs | undefined;
  readonly origin?: Rollout['origin'];
  /** Share of the requests that the canary is meant to get now, in (0, 1]; null: nobody knows; undefined leaves what was said before. */
  readonly canaryShare?: number | null | undefined;
}

export type StartOutcome =
  | { readonly kind: 'started' | 'exists'; readonly run: LiveRun }
  /** A newer generation is known for the service. */
  | { readonly kind: 'conflict'; readonly newest: number }
  | { readonly kind: 'full'; readonly limit: number };

export class Rollouts {
  readonly #runs = new Map<string, LiveRun>();
  readonly #ground: TrialGround;
  #nextSequence = 1;

  constructor(layout: HistogramLayout, limits?: ProcessLimits) {
    this.#ground = { layout, limits };
  }

  all(): IterableIterator<LiveRun> {
    return this.#runs.values();
  }

  *active(): Generator<LiveRun> {
    for (const run of this.#runs.values()) if (!run.isOver) yield run;
  }

  find(id: string): LiveRun | undefined {
    return this.#runs.get(id);
  }

  /** Starts a run, or returns the one there is for this id and generation, with the share that is planned now. A newer rollout of the service supersedes what was in flight. */
  start(request: RolloutRequest, policy: CanaryPolicy, strictness: Strictness, now: EpochMs): StartOutcome {
    const id = request.id ?? rolloutId(request.service, request.canary);
    const known = this.#runs.get(id);
    const newest = this.#newestGeneration(request);
    const generation = givenGeneration(request, known, newest);
    if (known !== undefined && known.rollout.generation === generation) {
      if (request.canaryShare !== undefined) known.plan(request.canaryShare);
      return { kind: 'exists', run: known };
    }
    if (request.origin !== 'policy' && generation < newest) return { kind: 'conflict', newest };
    const inFlight = [...this.active()];
    const superseded = inFlight.filter((run) => isOfOnePlace(run.rollout, request));
    if (inFlight.length - superseded.length >= MAX_ACTIVE_RUNS) {
      // Nobody waits for a bake, of which every service may have one for days.
      const oldestBake = inFlight.find((run) => run.isBaking);
      if (oldestBake === undefined) return { kind: 'full', limit: MAX_ACTIVE_RUNS };
      oldestBake.cutShort();
    }
    for (const run of superseded) run.end('superseded', 'superseded');
    const startedAt = request.startedAt ?? now;
    const rollout: Rollout = {
      id,
      service: request.service,
      generation,
      baseline: request.baseline,
      canary: request.canary,
      policyId: policy.id,
      startedAt,
      deadline: request.deadline ?? startedAt + policy.horizonMs,
      origin: request.origin ?? 'api',
      target: request.target ?? null,
      canaryShare: request.canaryShare ?? null,
    };
    const run = new LiveRun({ rollout, policy, strictness, sequence: this.#nextSequence++ }, this.#ground);
    this.#runs.delete(id);
    this.#runs.set(id, run);
    this.#forgetOldest();
    return { kind: 'started', run };
  }

  /**
   * True while a run of the service is in flight that its deploy system announced and waits for: what is found in the traffic meanwhile ends no such
   * run. A bake nobody waits for, and it may last for days in which every release is to be judged.
   */
  isAnnounced(service: string): boolean {
    for (const run of this.active()) {
      const { rollout, state } = run;
      if (rollout.service === service && rollout.origin !== 'policy' && state !== 'baking') return true;
    }
    return false;
  }

  /**
   * True while no newer generation of the rollout, and no newer rollout of the service, has been started; with the id of a signal, while its run has not said
   * something else since. What is found in the traffic calls off no signal of a rollout that its deploy system announced.
   */
  isCurrent(rolloutId: string, generation: number, signalId?: string): boolean {
    const run = this.#runs.get(rolloutId);
    if (run === undefined || run.rollout.generation !== generation || run.state === 'superseded') return false;
    if (signalId !== undefined && run.signalId !== null && run.signalId !== signalId) return false;
    for (const other of this.#runs.values()) {
      if (other.sequence <= run.sequence || !isOfOnePlace(other.rollout, run.rollout)) continue;
      if (other.rollout.origin !== 'policy' || run.rollout.origin === 'policy') return false;
    }
    return true;
  }

  /** See `LiveRun.restore`. */
  restore(saved: readonly LiveRunState[], continuity: 'gap' | 'exact' = 'gap'): void {
    for (const state of saved.toSorted((a, b) => a.sequence - b.sequence)) {
      this.#runs.set(state.rollout.id, LiveRun.restore(state, this.#ground, continuity));
      this.#nextSequence = state.sequence + 1;
    }
    this.#forgetOldest();
  }

  /** Generations are the deploy system's, so they are compared per service and place, whatever ids it gives its rollouts. */
  #newestGeneration(request: Placed): number {
    let newest = 0;
    for (const { rollout } of this.#runs.values()) {
      if (rollout.origin !== 'policy' && isOfOnePlace(rollout, request)) newest = Math.max(newest, rollout.generation);
    }
    return newest;
  }

  #forgetOldest(): void {
    let surplus = this.#runs.size - MAX_ACTIVE_RUNS - MAX_FINISHED;
    for (const [id, run] of this.#runs) {
      if (surplus <= 0) return;
      if (!run.isOver) continue;
      this.#runs.delete(id);
      surplus--;
    }
  }
}

type Placed = Pick<RolloutRequest, 'service' | 'target'>;

/** One takes the place of the other: objects of two namespaces are rolled out each for themselves, although their pods may be called the same. */
function isOfOnePlace({ service, target }: Placed, other: Placed): boolean {
  if (service !== other.service) return false;
  return (
    (target?.namespace ?? null) === null || (other.target?.namespace ?? null) === null || target?.namespace === other.target?.namespace
  );
}

/** What a deploy system without numbers of its own means: the run of this id that is in flight, or a new one; an object made again begins anew. */
function givenGeneration({ generation: asked, target }: RolloutRequest, known: LiveRun | undefined, newest: number): number {
  if (typeof asked === 'number') return asked;
  const isOfSameObject = target?.uid === undefined || target.uid === (known?.rollout.target?.uid ?? target.uid);
  if (known !== undefined && !known.isOver && isOfSameObject && known.rollout.generation >= asked.atLeast) return known.rollout.generation;
  return Math.max(newest + 1, asked.atLeast);
}
