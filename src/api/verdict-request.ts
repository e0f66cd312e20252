/** From the body of `POST /v1/verdict` to the run that is meant, started when there is none. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { AnalysisRun } from '../model/rollout.ts';
import { rolloutIdOf } from '../model/rollout-name.ts';
import type { ReleaseMatcher } from '../model/series.ts';
import type { EpochMs } from '../model/time.ts';
import type { ApiHandlers, StartOutcome } from './handlers.ts';
import type { FieldError } from './problem.ts';
import { rolloutRequest } from './rollout-request.ts';
import type { verdictRequest } from './verdict-schemas.ts';
import { isOver } from './verdict-view.ts';

type Body = z.output<typeof verdictRequest>;

export type AskedRun = StartOutcome | { readonly outcome: 'invalid'; readonly error: FieldError };

/**
 * Without a generation the run there is answers, whoever started it and however it ended: asking again never restarts what was decided, and two
 * pipelines that ask in turns never supersede each other. A higher generation judges anew.
 */
export async function askedRun(body: Body, handlers: ApiHandlers, now: EpochMs): Promise<AskedRun> {
  const id = body.id ?? (body.target === undefined ? derivedId(body) : rolloutIdOf(body.target));
  // What makes a wish whole is checked before it may join a run, so that a mistake shows at once and not only the first time.
  const wish = rolloutRequest({ ...body, id, generation: body.generation ?? 1 }, now);
  if (!wish.ok) return { outcome: 'invalid', error: wish.error };
  if (body.generation !== undefined) return handlers.startRollout(wish.value);
  const known = (await handlers.run(id)) ?? (await sameRun(body, handlers));
  if (known === null) return handlers.startRollout({ ...wish.value, generation: { kind: 'next', atLeast: 1 } });
  if (body.canaryShare === undefined || isOver(known.state)) return { outcome: 'existing', run: known };
  const { rollout } = known;
  return handlers.startRollout({ ...wish.value, id: rollout.id, generation: rollout.generation, target: rollout.target });
}

/** The newest run that compares the same releases under another name: found in the traffic, seen in the cluster or asked for. */
async function sameRun(body: Body, handlers: ApiHandlers): Promise<AnalysisRun | null> {
  // Whoever names a rollout means that one.
  if (body.id !== undefined || body.target !== undefined) return null;
  const { service, canary, baseline } = body;
  const wanted = pairText(canary, baseline);
  const same = (await handlers.runs()).filter(
    ({ rollout }) => rollout.service === service && pairText(rollout.canary, rollout.baseline) === wanted,
  );
  return newestOf(same);
}

/** The one started last, and of those started together that of the highest generation; null for none. */
export function newestOf(runs: readonly AnalysisRun[]): AnalysisRun | null {
  const newest = runs.toSorted(({ rollout: a }, { rollout: b }) => b.startedAt - a.startedAt || b.generation - a.generation);
  return newest[0] ?? null;
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
