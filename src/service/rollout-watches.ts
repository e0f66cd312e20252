/** Watches deploy systems, as the configuration has it: what is rolled out there begins and ends runs by itself. */
import type { ApiHandlers } from '../api/handlers.ts';
import type { WatchConfig } from '../config/sink-config.ts';
import type { KubernetesApi } from '../kubernetes/kubernetes-api.ts';
import { ROLLOUTS_API, type RolloutObject } from '../kubernetes/rollout-object.ts';
import type { AnalysisRun, RolloutEnd } from '../model/rollout.ts';
import { rolloutIdOf } from '../model/rollout-name.ts';
import { visible } from '../model/safe-text.ts';
import type { DurationMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { readRollout } from '../watches/argo-rollouts.ts';
import { type KnownRun, leadsToRun } from '../watches/begin-anew.ts';
import { RolloutBook } from '../watches/rollout-book.ts';
import { watchDeployments } from '../watches/watch-deployments.ts';
import { watchRollouts } from '../watches/watch-rollouts.ts';
import type { Moment, RolloutHandlers, Told, WatchedRollout } from '../watches/watched-rollout.ts';

/** What of the API's handlers watches use: they wish for runs as any deploy system does. */
export interface RunHandlers extends Pick<ApiHandlers, 'startRollout' | 'endRollout' | 'run' | 'signal'> {
  /** False for services that another member judges, which watches as well; absent: all are judged here. */
  isOurs?(service: string): boolean;
}

export interface WatchParts {
  readonly watches: readonly WatchConfig[];
  readonly kubernetes: KubernetesApi;
  readonly runs: RunHandlers;
  readonly telemetry: Telemetry;
}

const MAX_TEXT_CHARS = 512;

type WatchTrouble = 'watch' | 'refused' | 'failed' | 'ended';

/** Returns what stops them, and resolves when they have stopped. */
export function startWatches({ watches, kubernetes, runs, telemetry }: WatchParts): () => Promise<void> {
  const abort = new AbortController();
  const running = watches.map(async (config) => {
    const trouble = (reason: WatchTrouble, text: string) => {
      telemetry.add('watch_failures_total', 1, { watch: config.type, reason });
      telemetry.log.warn({ watch: config.type, reason, error: visible(text).slice(0, MAX_TEXT_CHARS) }, 'a watch of rollouts has trouble');
    };
    const book = new RolloutBook({ handlers: rolloutHandlers(runs), onTrouble: trouble, schedule: runtimeTimer });
    try {
      await watched({ config, kubernetes, book, onTrouble: (error) => trouble('watch', error.message) }, abort.signal);
    } catch (error) {
      trouble('ended', error instanceof Error ? error.message : String(error));
    } finally {
      book.close();
    }
  });
  return async () => {
    abort.abort();
    await Promise.all(running);
  };
}

interface OneWatch {
  readonly config: WatchConfig;
  readonly kubernetes: KubernetesApi;
  readonly book: RolloutBook;
  onTrouble(error: Error): void;
}

function watched({ config, kubernetes: api, book, onTrouble }: OneWatch, abort: AbortSignal): Promise<void> {
  const { type, namespaces, labelSelector, releaseAttribute } = config;
  switch (type) {
    case 'argo-rollouts': {
      const kind = { root: ROLLOUTS_API, plural: 'rollouts', namespaces, labelSelector };
      const read = (rollout: RolloutObject) => readRollout(rollout, releaseAttribute);
      return watchRollouts<RolloutObject>({ api, kind, book, read, onTrouble }, abort);
    }
    case 'deployments':
      return watchDeployments({ api, namespaces, labelSelector, releaseAttribute, book, onTrouble }, abort);
    default:
      return type satisfies never;
  }
}

/** What watches tell becomes wishes for runs; a run that was told of before a restart is known by its id. */
export function rolloutHandlers(runs: RunHandlers): RolloutHandlers {
  return {
    async begin(rollout: WatchedRollout, moment: Moment): Promise<Told> {
      if (runs.isOurs?.(rollout.service) === false) return 'done';
      const id = rolloutIdOf(rollout.target);
      const run = await runs.run(id);
      const known = run === null ? null : await knownRun(runs, run);
      if (!leadsToRun(rollout, moment, known)) return 'done';
      const { service, target, baseline, canary, startedAt, canaryShare, revision } = rollout;
      const generation = { kind: 'next', atLeast: Math.max(1, revision) } as const;
      const wish = { id, service, generation, origin: 'watch', target, baseline, canary, startedAt, deadline: null, canaryShare } as const;
      const { outcome } = await runs.startRollout(wish);
      switch (outcome) {
        case 'created':
        case 'existing':
          return 'done';
        case 'stale_generation':
        case 'refused':
          return 'refused';
        case 'unavailable':
          return 'later';
        default:
          return outcome satisfies never;
      }
    },
    async end(rolloutId: string, how: RolloutEnd): Promise<Told> {
      const { outcome } = await runs.endRollout(rolloutId, how);
      return outcome === 'unavailable' ? 'later' : 'done';
    },
  };
}

async function knownRun(runs: Pick<RunHandlers, 'signal'>, { rollout, state, signalId }: AnalysisRun): Promise<KnownRun> {
  const deliveries = state === 'rolled_back' && signalId !== null ? await runs.signal(signalId) : [];
  const isUndone = deliveries.some((delivery) => delivery.state === 'confirmed');
  return { generation: rollout.generation, isOver: !IN_FLIGHT.has(state), isUndone, uid: rollout.target?.uid };
}

/** A bake is of a rollout that is through: when its release moves again, that is a new attempt. */
const IN_FLIGHT: ReadonlySet<string> = new Set(['pending', 'running', 'baking']);

function runtimeTimer(task: () => void, waitMs: DurationMs): () => void {
  const timer = setTimeout(task, waitMs);
  timer.unref();
  return () => clearTimeout(timer);
}
