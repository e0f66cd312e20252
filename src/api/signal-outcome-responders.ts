/** Answers deploy systems that say what became of a signal. */
import type { Context } from 'hono';
import { checkedBody } from './checked-body.ts';
import type { ApiHandlers } from './handlers.ts';
import { problemResponse } from './problem.ts';
import { reportOutcome } from './signal-outcome-schema.ts';
import { unavailable } from './unavailable.ts';

export function signalOutcomeResponders(handlers: Pick<ApiHandlers, 'reportOutcome' | 'signal'>) {
  return {
    async reportOutcome(context: Context): Promise<Response> {
      const body = await checkedBody(context.req.raw, reportOutcome);
      if (!body.ok) return body.response;
      const { sink = null, outcome, by, detail = '' } = body.value;
      const signalId = context.req.param('id') ?? '';
      const said = await handlers.reportOutcome({ signalId, sink, outcome, by, detail });
      switch (said.outcome) {
        case 'kept':
          return Response.json({ signals: await handlers.signal(signalId) });
        case 'unknown':
          return problemResponse({ status: 404, title: 'Not found', detail: 'no signal of this id went to such a sink' });
        case 'not_awaited':
          return problemResponse({
            status: 409,
            title: 'Not awaited',
            detail: 'the sink does not wait to be told; set awaitsOutcome on it',
          });
        case 'over':
          return problemResponse({ status: 409, title: 'Over', detail: `the delivery is over already: ${said.state}` });
        case 'unavailable':
          return unavailable(said);
        default:
          return said satisfies never;
      }
    },
  };
}
