/** Answers pipelines that ask for a verdict. */
import type { Context } from 'hono';
import type { AnalysisRun } from '../model/rollout.ts';
import { checkedBody } from './checked-body.ts';
import { invalidRequest, problemResponse } from './problem.ts';
import type { ResponderParts } from './responder-parts.ts';
import { unavailable } from './unavailable.ts';
import { askedRun, newestOf } from './verdict-request.ts';
import { verdictQuery, verdictRequest } from './verdict-schemas.ts';
import { undecidedView, type VerdictView, verdictView } from './verdict-view.ts';
import { waitMs } from './wait-query.ts';

/** 200 whatever the verdict is: askers take other statuses for a failure of the asking, and some count those against the rollout. */
export function verdictResponders({ handlers, config, now }: ResponderParts) {
  async function viewOf(id: string, wait: string | undefined, context: Context): Promise<VerdictView | null> {
    const run = await handlers.settled(id, waitMs(wait), context.req.raw.signal);
    if (run === null) return null;
    const policy = await handlers.policyOf(id);
    const isReplaced = run.verdict.decision === 'promote' && (await hasNewer(run));
    return verdictView(run, { mode: policy?.mode ?? 'observe', isReplaced, publicUrl: config.publicUrl });
  }

  /** A newer rollout of the service was announced. Those found in the traffic count nothing. */
  async function hasNewer({ rollout }: AnalysisRun): Promise<boolean> {
    const runs = await handlers.runs();
    return runs.some(
      ({ rollout: other }) => other.service === rollout.service && other.origin !== 'policy' && other.generation > rollout.generation,
    );
  }

  return {
    async verdict(context: Context): Promise<Response> {
      const query = verdictQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { rollout, service, canary, baseline, wait } = query.data;
      if (rollout !== undefined) {
        const view = await viewOf(rollout, wait, context);
        return view === null ? noRollout() : Response.json(view);
      }
      const runs = await handlers.runs();
      const run = newestOf(
        runs.filter(
          ({ rollout: of }) =>
            of.service === service && hasValue(of.canary, canary) && (baseline === undefined || hasValue(of.baseline, baseline)),
        ),
      );
      const view = run === null ? null : await viewOf(run.rollout.id, wait, context);
      return Response.json(view ?? undecidedView('no_canary', 'Hold: no rollout of this service and canary is being judged yet.'));
    },

    async askVerdict(context: Context): Promise<Response> {
      const body = await checkedBody(context.req.raw, verdictRequest);
      if (!body.ok) return body.response;
      const asked = await askedRun(body.value, handlers, now());
      switch (asked.outcome) {
        case 'created':
        case 'existing':
          return Response.json((await viewOf(asked.run.rollout.id, body.value.wait, context)) ?? undecidedView('no_data'));
        case 'stale_generation': {
          const text = `Hold: generation ${asked.newest} of this rollout or service is known already; ask with a higher one.`;
          return Response.json(undecidedView('superseded', text));
        }
        case 'invalid':
          return fieldProblem(400, 'Invalid request', asked.error.pointer, asked.error.detail);
        case 'refused':
          return fieldProblem(422, 'Cannot be judged', asked.field, asked.detail);
        case 'unavailable':
          return unavailable(asked);
        default:
          return asked satisfies never;
      }
    },
  };
}

function hasValue(matcher: Readonly<Record<string, string>>, value: string | undefined): boolean {
  return value !== undefined && Object.values(matcher).includes(value);
}

function noRollout(): Response {
  return problemResponse({ status: 404, title: 'Not found', detail: 'no rollout of this id is known' });
}

function fieldProblem(status: number, title: string, pointer: string, detail: string): Response {
  return problemResponse({ status, title, detail: `${pointer}: ${detail}`, errors: [{ pointer, detail }] });
}
