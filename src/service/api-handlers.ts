/** Answers the API's questions from the engine and the store. */
import type { ApiHandlers, StartOutcome, StartRollout } from '../api/handlers.ts';
import type { KayentaHandlers } from '../api/kayenta/kayenta-handlers.ts';
import type { LiveRun } from '../engine/live-run.ts';
import type { Engine } from '../engine.ts';
import type { StoredSlot } from '../model/checkpoint.ts';
import type { InputsView } from '../model/inputs-view.ts';
import type { PolicyMode } from '../model/policy.ts';
import type { Rollout } from '../model/rollout.ts';
import { visible } from '../model/safe-text.ts';
import { sameMatcher } from '../model/series.ts';
import type { DurationMs } from '../model/time.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { allowedRun } from './allowed-run.ts';
import type { Clock } from './clock.ts';
import { controlHandlers } from './control-handlers.ts';
import { gateHandlers } from './gate-handlers.ts';
import { metricSource } from './metric-source.ts';
import { NOT_DURABLE } from './not-durable.ts';
import type { SettledRuns } from './settled.ts';
import { type SignalHandlerParts, signalHandlers } from './signal-handlers.ts';

/** What a caller is told to wait when there are too many runs. */
const FULL_RETRY_MS = 30_000;

export interface HandlerParts extends SignalHandlerParts {
  readonly engine: Engine;
  readonly store: Store;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly version: string;
  readonly settled: SettledRuns;
  /** What operators let leave for a rollout now. */
  ceiling(rollout: Pick<Rollout, 'id' | 'service'>): PolicyMode;
  /** What judging waits for; absent or null: for nothing. */
  inputs?(): InputsView | null;
  readonly kayenta: KayentaHandlers;
  /** Makes a change of a run durable before it is answered for; false when the store refuses. */
  checkpoint(): boolean;
  /** True while the store takes what it is given. */
  isDurable(): boolean;
  readiness(): { readonly ready: boolean; readonly reasons: readonly string[] };
  metrics(): Promise<string>;
}

export function apiHandlers(parts: HandlerParts): ApiHandlers {
  const { engine, store, clock, telemetry } = parts;
  /** What lies further back than memory. */
  const stored = (windowMs: DurationMs): StoredSlot[] =>
    engine.views.storedPieces(windowMs).flatMap(({ level, fromSec, toSec }) => store.slots(level, fromSec, toSec));
  return {
    ...gateHandlers(parts),
    ...parts.kayenta,
    ...controlHandlers(parts),
    ...signalHandlers(parts),
    version: parts.version,
    metricSource: metricSource(parts),
    readiness: () => parts.readiness(),
    metrics: () => parts.metrics(),
    startRollout(request) {
      const taken = takenId(request, engine.rollouts.find(request.id));
      if (taken !== null) return taken;
      const outcome = engine.startRollout(
        {
          ...request,
          startedAt: request.startedAt ?? undefined,
          deadline: request.deadline ?? undefined,
          canaryShare: request.canaryShare ?? undefined,
        },
        clock.now(),
      );
      switch (outcome.kind) {
        case 'started': {
          const run = outcome.run.view();
          telemetry.log.info(
            { rollout: run.rollout.id, generation: run.rollout.generation, service: run.rollout.service },
            'analysis run started',
          );
          return parts.checkpoint() ? { outcome: 'created', run } : NOT_DURABLE;
        }
        case 'exists':
          return (!outcome.run.isNews && parts.isDurable()) || parts.checkpoint()
            ? { outcome: 'existing', run: outcome.run.view() }
            : NOT_DURABLE;
        case 'conflict':
          return { outcome: 'stale_generation', newest: outcome.newest };
        case 'full':
          return { outcome: 'unavailable', detail: `${outcome.limit} analysis runs are in flight already`, retryAfterMs: FULL_RETRY_MS };
        default:
          return outcome satisfies never;
      }
    },
    allowed: (run) => allowedRun(run, parts.ceiling(run.rollout)),
    run: (id) => engine.rollouts.find(id)?.view() ?? null,
    policyOf: (id) => engine.rollouts.find(id)?.policy ?? null,
    settled: (id, waitMs, abort) => parts.settled.wait(id, waitMs, abort),
    runs: () => [...engine.rollouts.all()].map((run) => run.view()),
    abort(id) {
      const run = engine.abortRollout(id);
      if (run === null) return { outcome: 'unknown' };
      telemetry.log.info({ rollout: id, state: run.state }, 'analysis run aborted on request');
      return parts.checkpoint() ? { outcome: 'over', run } : NOT_DURABLE;
    },
    endRollout(id, how) {
      const run = engine.endRollout(id, how);
      if (run === null) return { outcome: 'unknown' };
      telemetry.log.info({ rollout: id, how, state: run.state }, 'rollout ended by the deploy system');
      return parts.checkpoint() ? { outcome: 'over', run } : NOT_DURABLE;
    },
    status: (windowMs, service) => ({
      ...engine.views.status(windowMs, clock.now(), service ?? undefined, stored(windowMs)),
      inputs: parts.inputs?.() ?? null,
    }),
    latency: (query) => engine.views.latency(query, stored(query.windowMs)),
    outlook: (query) => engine.views.outlook(query),
    slo: (only) => engine.views.sloReport(clock.now(), only),
    whatIf: (query) => engine.views.whatIf(query, stored(query.windowMs)),
  };
}

/**
 * A name that means another rollout already: the run there is would answer for releases that it does not judge, or be called off by another service's. Null:
 * it is free, or means the same.
 */
function takenId({ service, generation, canary, baseline }: StartRollout, known: LiveRun | undefined): StartOutcome | null {
  if (known === undefined) return null;
  const { rollout } = known;
  if (rollout.service !== service) {
    // An object whose service was named wrong before begins anew by asking for what comes next.
    if (known.isOver && typeof generation !== 'number') return null;
    return { outcome: 'refused', field: '/id', detail: `names a rollout of another service: ${visible(rollout.service)}` };
  }
  if (rollout.generation !== generation) return null;
  if (sameMatcher(rollout.canary, canary) && sameMatcher(rollout.baseline, baseline)) return null;
  return { outcome: 'refused', field: '/generation', detail: `${generation} of this rollout compares other releases; give a higher one` };
}
