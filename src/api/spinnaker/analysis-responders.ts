/** Answers webhook stages: an analysis is started, asked for its status, and cancelled. */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { z } from 'zod';
import { verdictText } from '../../model/reason-text.ts';
import type { AnalysisRun } from '../../model/rollout.ts';
import { visible } from '../../model/safe-text.ts';
import { checkedBody } from '../checked-body.ts';
import type { AbortOutcome, StartOutcome } from '../handlers.ts';
import { problemResponse } from '../problem.ts';
import type { ResponderParts } from '../responder-parts.ts';
import { rolloutRequest } from '../rollout-request.ts';
import { runInPlaceOf } from '../run-in-place.ts';
import { unavailable } from '../unavailable.ts';
import { type ANALYSIS_STATUSES, startAnalysis } from './analysis-schemas.ts';

const PATH = '/spinnaker/v1/analyses';

export function analysisResponders({ handlers, config, now }: ResponderParts) {
  /** Orca asks the very address it is given, so it must be whole. */
  const urlOf = (context: Context, id: string): string => {
    const origin = config.publicUrl ?? new URL(context.req.url).origin;
    return `${origin}${PATH}/${encodeURIComponent(id)}`;
  };
  const shown = async (context: Context, known: AnalysisRun) => {
    const run = await handlers.allowed(await runInPlaceOf(known, handlers));
    return {
      id: known.rollout.id,
      status: statusOf(run),
      message: visible(verdictText(run.verdict, run.judgements)),
      statusUrl: urlOf(context, known.rollout.id),
    };
  };

  const ended = async (context: Context, outcome: AbortOutcome): Promise<Response> => {
    switch (outcome.outcome) {
      case 'over':
        return json(await shown(context, outcome.run));
      case 'unknown':
        return unknownAnalysis();
      case 'unavailable':
        return unavailable(outcome);
      default:
        return outcome satisfies never;
    }
  };

  const cancel = async (context: Context): Promise<Response> => ended(context, await handlers.abort(idOf(context)));

  return {
    async startAnalysis(context: Context) {
      const body = await checkedBody(context.req.raw, startAnalysis);
      if (!body.ok) return body.response;
      const { service, baseline, canary, deadline, canaryShare, execution } = body.value;
      const attribute = body.value.attribute ?? handlers.releaseBy()[0] ?? 'service.version';
      const matchers = { baseline: matcherOf(baseline, attribute), canary: matcherOf(canary, attribute) };
      const wish = rolloutRequest({ service, ...matchers, generation: 1, deadline, canaryShare }, now());
      if (!wish.ok) return wrongField(400, wish.error.pointer, wish.error.detail);
      const id = idFrom(body.value, matchers);
      const known = execution === undefined ? null : await handlers.run(id);
      if (known !== null) return json(await shown(context, known), 200, { location: urlOf(context, id) });
      const started = await handlers.startRollout({ ...wish.value, id, generation: { kind: 'next', atLeast: 1 } });
      const run = runOf(started);
      if (run instanceof Response) return run;
      return json(await shown(context, run), 201, { location: urlOf(context, id) });
    },

    async analysis(context: Context) {
      const run = await handlers.run(idOf(context));
      return run === null ? unknownAnalysis() : json(await shown(context, run));
    },

    cancelAnalysis: cancel,
    cancelAnalysisByPost: cancel,
  };
}

/** Only a proven rollback is a failure; what ended without proof is neither. */
export function statusOf(run: AnalysisRun): (typeof ANALYSIS_STATUSES)[number] {
  switch (run.state) {
    case 'pending':
    case 'running':
      return 'RUNNING';
    case 'promoted':
    case 'baking':
      return 'PASS';
    case 'rolled_back':
      return 'FAIL';
    case 'held':
    case 'superseded':
    case 'expired':
    case 'aborted':
      return 'INCONCLUSIVE';
    default:
      return run.state satisfies never;
  }
}

function runOf(started: StartOutcome): AnalysisRun | Response {
  switch (started.outcome) {
    case 'created':
    case 'existing':
      return started.run;
    case 'stale_generation':
      return wrongField(409, '/service', `a newer rollout of it is known: generation ${started.newest}`);
    case 'refused':
      return wrongField(422, started.field, started.detail);
    case 'unavailable':
      return unavailable(started);
    default:
      return started satisfies never;
  }
}

function matcherOf(release: string | Readonly<Record<string, string>>, attribute: string): Readonly<Record<string, string>> {
  return typeof release === 'string' ? { [attribute]: release } : release;
}

/** The same stage has the same id on every replica and after every restart; JSON keeps the parts apart. */
function idFrom({ service, execution }: z.output<typeof startAnalysis>, matchers: Readonly<Record<string, object>>): string {
  const sorted = Object.values(matchers).map((matcher) => Object.entries(matcher).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `spin-${createHash('sha256')
    .update(JSON.stringify([service, sorted, execution ?? null]))
    .digest('hex')
    .slice(0, 24)}`;
}

function wrongField(status: number, pointer: string, detail: string): Response {
  return problemResponse({ status, title: 'Cannot be judged', detail: `${pointer}: ${detail}`, errors: [{ pointer, detail }] });
}

function unknownAnalysis(): Response {
  return problemResponse({ status: 404, title: 'Not found', detail: 'no analysis of this id is known' });
}

function idOf(context: Context): string {
  return context.req.param('id') ?? '';
}

function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...headers, 'content-type': 'application/json' } });
}
