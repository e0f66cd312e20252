/** The Canaries that Flagger asks about: which run is theirs now, and when a new one begins. */
import type { AnalysisRun } from '../../model/rollout.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import type { ResponderParts } from '../responder-parts.ts';
import type { Unavailable } from '../unavailable.ts';
import { isOver } from '../verdict-view.ts';
import { canaryName, type FlaggerHook, runIdOf, wishOf } from './payload.ts';
import type { GrantedStep } from './weight-step.ts';

const MAX_CANARIES = 1000;
/**
 * A run that is over and that nobody asked about for this long belongs to an earlier rollout of the same revision. Flagger asks at every interval, which is
 * rarely more than minutes, and longer than usual cool-downs: what is proven anew after it may be rolled back anew.
 */
const FORGOTTEN_AFTER_MS: DurationMs = 3_600_000;

interface Canary {
  readonly runId: string;
  askedAt: EpochMs;
  /** Flagger said that this rollout is over: the same revision asked about again is a new one. */
  isEnded: boolean;
  lastStep: GrantedStep | null;
}

export type Found =
  | { readonly outcome: 'run'; readonly run: AnalysisRun; readonly canary: Canary }
  | { readonly outcome: 'refused'; readonly detail: string }
  | Unavailable;

export class FlaggerCanaries {
  readonly #parts: Pick<ResponderParts, 'handlers' | 'now'>;
  /** By name and namespace, those asked about longest ago first. */
  readonly #canaries = new Map<string, Canary>();

  constructor(parts: Pick<ResponderParts, 'handlers' | 'now'>) {
    this.#parts = parts;
  }

  /**
   * The run of a Canary that is being rolled out, begun when there is none. A revision that comes again after its rollout ended is judged anew, in a new
   * generation; what was decided about the rollout that goes on stands, however often it is asked for, also after a restart of this process.
   */
  async inProgress(hook: FlaggerHook): Promise<Found> {
    const { handlers, now } = this.#parts;
    const at = now();
    const runId = runIdOf(hook);
    const known = await handlers.run(runId);
    const before = this.#canaries.get(canaryName(hook));
    const isNew =
      known === null ||
      (isOver(known.state) ? isOfThePast(known, before, at) || (await this.#hasGoneOn(known)) : before?.runId === runId && before.isEnded);
    const canary: Canary = before?.runId === runId && !isNew ? before : { runId, askedAt: at, isEnded: false, lastStep: null };
    if (!isNew) {
      canary.askedAt = at;
      this.#keep(hook, canary);
      return { outcome: 'run', run: known, canary };
    }
    const wish = wishOf(hook);
    if (!wish.ok) return { outcome: 'refused', detail: wish.detail };
    const atLeast = (known?.rollout.generation ?? 0) + 1;
    const started = await handlers.startRollout({ ...wish.value, generation: { kind: 'next', atLeast } });
    switch (started.outcome) {
      case 'created':
      case 'existing':
        this.#keep(hook, canary);
        return { outcome: 'run', run: started.run, canary };
      case 'stale_generation':
        return { outcome: 'refused', detail: `generation ${started.newest} of the service is known already` };
      case 'refused':
        return { outcome: 'refused', detail: `${started.field.slice(1)}: ${started.detail}` };
      case 'unavailable':
        return started;
      default:
        return started satisfies never;
    }
  }

  /** Flagger said that no rollout of this Canary goes on: what is in flight ends, and the same revision would be a new rollout. Null: nothing was known of it. */
  async ended(hook: FlaggerHook): Promise<AnalysisRun | Unavailable | null> {
    const { handlers, now } = this.#parts;
    const runId = runIdOf(hook);
    const run = await handlers.run(runId);
    if (run === null) return null;
    const before = this.#canaries.get(canaryName(hook));
    const isTold = before?.runId === runId && before.isEnded;
    if (!isTold && !isOver(run.state)) {
      const ended = await handlers.endRollout(runId, 'over');
      if (ended.outcome === 'unavailable') return ended;
    }
    // What comes late of a revision before must not make the one that goes on look as if it came back.
    if (before === undefined || before.runId === runId) this.#keep(hook, { runId, askedAt: now(), isEnded: true, lastStep: null });
    return handlers.run(runId);
  }

  /** Flagger asked about another revision of this Canary since the run began: known by the runs there are, so also after a restart. */
  async #hasGoneOn({ rollout: { id, target } }: AnalysisRun): Promise<boolean> {
    const runs = await this.#parts.handlers.runs();
    const since = runs.slice(runs.findIndex(({ rollout }) => rollout.id === id) + 1);
    return since.some(
      ({ rollout: { target: other } }) =>
        other?.kind === 'Canary' && other.namespace === target?.namespace && other.name === target.name && other.fence !== target.fence,
    );
  }

  /** What is remembered of the revision that a hook is about; null: nothing. */
  find(hook: FlaggerHook): Canary | null {
    const canary = this.#canaries.get(canaryName(hook));
    return canary?.runId === runIdOf(hook) && !canary.isEnded ? canary : null;
  }

  #keep(hook: FlaggerHook, canary: Canary): void {
    const key = canaryName(hook);
    this.#canaries.delete(key);
    this.#canaries.set(key, canary);
    for (const oldest of this.#canaries.keys()) {
      if (this.#canaries.size <= MAX_CANARIES) break;
      this.#canaries.delete(oldest);
    }
  }
}

/** True when a run that is over is not the one of the rollout that is asked about now. */
function isOfThePast(run: AnalysisRun, before: Canary | undefined, at: EpochMs): boolean {
  // Nothing is remembered after a restart: then only the age of the verdict tells.
  if (before === undefined) return at - run.verdict.at > FORGOTTEN_AFTER_MS;
  // Flagger went on to another revision in between and came back.
  if (before.runId !== run.rollout.id) return true;
  return before.isEnded || at - Math.max(before.askedAt, run.verdict.at) > FORGOTTEN_AFTER_MS;
}
