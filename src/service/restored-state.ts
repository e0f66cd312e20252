/** Builds what judges out of what a store saved, as whole as it can be, and says what was lost. */
import { isOfThisFormat, type LiveRunState, remains, withoutBake } from '../engine/saved-run.ts';
import type { Engine } from '../engine.ts';
import { LEVEL_SECONDS, type SavedState } from '../model/checkpoint.ts';
import { PermanentError } from '../model/errors.ts';
import type { CanaryPolicy } from '../model/policy.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { RESTORE_SEC } from '../window/roll-up.ts';

/** After state was lost, evidence must build up again for this long before anything is decided. */
const REQUALIFY_MS: DurationMs = 10 * 60_000;

export interface RestoreParts<Built> {
  readonly store: Store;
  readonly now: EpochMs;
  readonly telemetry: Telemetry;
  /** For runs of which nothing else says how they were judged. */
  readonly policy: CanaryPolicy;
  /** Throws PermanentError when `saved` cannot be gone on with. */
  build(saved: SavedState): Built;
}

/** What was built, and all notes that were saved: some are not the engine's. */
export function restored<Built extends { readonly engine: Engine }>(
  parts: RestoreParts<Built>,
): { readonly built: Built; readonly notes: SavedState['notes'] } {
  const { store, now, telemetry } = parts;
  const state = savedState(store);
  const { built, lost } = wholeOrPart(state, parts);
  if (state.at !== null)
    telemetry.log.info({ series: state.series.length, runs: state.runs.length, gapMs: now - state.at }, 'state restored');
  const damage = store.recovered ?? lost;
  if (damage !== null) {
    telemetry.log.error({ ...damage }, 'state could not be read back whole; nothing is decided until evidence has built up again');
    built.engine.markStateUnknown(now + REQUALIFY_MS);
  }
  return { built, notes: state.notes };
}

/** All that is saved; of the slots those that memory goes on with. Counted back from the last checkpoint, however long ago that was. */
function savedState(store: Store): SavedState {
  const state = store.load({});
  const at = state.at;
  if (at === null) return state;
  const slots = LEVEL_SECONDS.flatMap((level) => store.slots(level, Math.floor(at / 1000) - RESTORE_SEC[level], Number.MAX_SAFE_INTEGER));
  return { ...state, slots };
}

/** Takes up all, or else what can be taken up; budgets, series and signals always can. */
function wholeOrPart<Built extends { readonly engine: Engine }>(
  state: SavedState,
  parts: RestoreParts<Built>,
): { readonly built: Built; readonly lost: { readonly error: string } | null } {
  try {
    return { built: parts.build(state), lost: null };
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    return { built: part(state, parts), lost: { error: error.message } };
  }
}

/**
 * Histograms of another layout cannot be gone on with, nor can what runs in flight concluded from them: those begin anew, and bakes end. Of runs that
 * another program saved and that are over stays how they ended.
 */
function part<Built extends { readonly engine: Engine }>(state: SavedState, { now, policy, build }: RestoreParts<Built>): Built {
  const runs = state.runs.map(({ json }) => withoutBake(JSON.parse(json) as LiveRunState));
  const isOver = ({ final, state: last }: LiveRunState): boolean => final !== null || last === 'baking';
  const over = runs.filter(isOver).map((run) => (run.final !== null && isOfThisFormat(run) ? run : remains(run, policy)));
  const built = build({ ...state, slots: [], runs: over.map((run) => ({ id: run.rollout.id, json: JSON.stringify(run) })) });
  for (const run of runs) if (!isOver(run)) built.engine.startRollout({ ...run.rollout, startedAt: now }, now);
  return built;
}
