/** From the body of `POST /v1/verdict` to the run that is meant, started when there is none. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { AnalysisRun } from '../model/rollout.ts';
import { rolloutIdOf } from '../model/rollout-name.ts';
import { visible } from '../model/safe-text.ts';
import { type ReleaseMatcher, sameMatcher } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import type { ApiHandlers, StartOutcome } from './handlers.ts';
import type { FieldError } from './problem.ts';
import { rolloutRequest } from './rollout-request.ts';
import { runInPlaceOf } from './run-in-place.ts';
import type { verdictRequest } from './verdict-schemas.ts';
import { isOver } from './verdict-view.ts';

type Body = z.output<typeof verdictRequest>;

export type AskedRun = StartOutcome | { readonly outcome: 'invalid'; readonly error: FieldError };

/**
 * Without a generation the run there is answers, whoever started it and however it ended: asking again never restarts what was decided, and two
 * pipelines that ask in turns never supersede each other. A higher generation judges anew, and so does asking for releases that come back after others
 * were rolled out: what was found of them before is neither a proof against them now nor one for them.
 */
export async function askedRun(body: Body, handlers: ApiHandlers, now: EpochMs): Promise<AskedRun> {
  const id = body.id ?? (body.target === undefined ? derivedId(body) : rolloutIdOf(body.target));
  // What makes a wish whole is checked before it may join a run, so that a mistake shows at once and not only the first time.
  const wish = rolloutRequest({ ...body, id, generation: body.generation ?? 1 }, now);
  if (!wish.ok) return { outcome: 'invalid', error: wish.error };
  if (body.generation !== undefined) return handlers.startRollout(wish.value);
  const isNamed = body.id !== undefined || body.target !== undefined;
  const named = isNamed ? await handlers.run(id) : await newestAlike(body, handlers);
  const known = named === null ? null : await runInPlaceOf(named, handlers);
  if (known === null) return handlers.startRollout({ ...wish.value, generation: { kind: 'next', atLeast: 1 } });
  if (isNamed && known.rollout.service !== body.service) return takenBy(known, body.id === undefined ? '/target' : '/id');
  if (isNamed && isOfOthers(known, body)) {
    // What was decided about other releases is no answer, and a rollout that somebody waits for is not called off by a name that is used twice.
    if (known.state === 'pending' || known.state === 'running') return { outcome: 'stale_generation', newest: known.rollout.generation };
    return handlers.startRollout({ ...wish.value, generation: { kind: 'next', atLeast: known.rollout.generation + 1 } });
  }
  if (await isOfThePast(known, handlers)) return handlers.startRollout({ ...wish.value, generation: { kind: 'next', atLeast: 1 } });
  if (body.canaryShare === undefined || isOver(known.state)) return { outcome: 'existing', run: known };
  const { rollout } = known;
  return handlers.startRollout({ ...wish.value, id: rollout.id, generation: rollout.generation, target: rollout.target });
}

/** The newest run of the same releases, whatever its name: found in the traffic, seen in the cluster or asked for. */
async function newestAlike({ service, canary, baseline }: Body, handlers: ApiHandlers): Promise<AnalysisRun | null> {
  return newestOf(
    (await handlers.runs()).filter(
      ({ rollout }) => rollout.service === service && sameMatcher(rollout.canary, canary) && sameMatcher(rollout.baseline, baseline),
    ),
  );
}

/** The one started last, of runs in the order in which they were started; null for none. Times of start are the deploy systems' own, and say less. */
export function newestOf(runs: readonly AnalysisRun[]): AnalysisRun | null {
  return runs.at(-1) ?? null;
}

/**
 * True of a run that had its answer before other rollouts of the service, all of which are through as well. One that was superseded before it had any may
 * still be asked about by whoever started it, and must not call off what took its place.
 */
async function isOfThePast({ rollout, state, verdict }: AnalysisRun, handlers: ApiHandlers): Promise<boolean> {
  if (!isOver(state) || (state === 'superseded' && verdict.decision !== 'promote')) return false;
  const since = rolledOutSince(await handlers.runs(), rollout);
  return since.length > 0 && since.every((other) => other.state !== 'pending' && other.state !== 'running');
}

/** Runs of the service that were announced after this one. Those found in the traffic count nothing. */
export function rolledOutSince(runs: readonly AnalysisRun[], { id, service }: AnalysisRun['rollout']): readonly AnalysisRun[] {
  const since = runs.slice(runs.findIndex(({ rollout }) => rollout.id === id) + 1);
  return since.filter(({ rollout }) => rollout.service === service && rollout.origin !== 'policy');
}

/** True of a run that compares other releases under the name that was given. The fence of an object tells its releases, in whatever attributes they are named. */
function isOfOthers({ rollout }: AnalysisRun, { canary, baseline }: Body): boolean {
  return rollout.target === null && !(sameMatcher(rollout.canary, canary) && sameMatcher(rollout.baseline, baseline));
}

function takenBy({ rollout }: AnalysisRun, field: string): AskedRun {
  return { outcome: 'refused', field, detail: `names a rollout of another service: ${visible(rollout.service)}` };
}

/** The same service, canary and baseline have the same id on every replica and after every restart; JSON keeps the parts apart. */
function derivedId({ service, canary, baseline }: Body): string {
  const digest = createHash('sha256').update(JSON.stringify([service, pairText(canary, baseline)]));
  return `vd-${digest.digest('hex').slice(0, 24)}`;
}

function pairText(canary: ReleaseMatcher, baseline: ReleaseMatcher): string {
  const sorted = (matcher: ReleaseMatcher) => Object.entries(matcher).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([sorted(canary), sorted(baseline)]);
}
