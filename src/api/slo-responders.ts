/** What the routes about objectives answer. */
import type { Context } from 'hono';
import { sloExplanation } from '../model/slo-explanation.ts';
import type { ApiHandlers } from './handlers.ts';
import { invalidRequest, problemResponse } from './problem.ts';
import { ROUTES } from './routes.ts';
import { explanationQuery, sloQuery } from './slo-query.ts';
import { whatIfOf, whatIfQuery } from './what-if-query.ts';

export function sloResponders(handlers: Pick<ApiHandlers, 'slo' | 'whatIf'>) {
  return {
    async slo(context: Context): Promise<Response> {
      const query = sloQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { service = null, objective = null } = query.data;
      return Response.json(await handlers.slo({ service, objective }));
    },

    async sloExplanation(context: Context): Promise<Response> {
      const query = explanationQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const report = await handlers.slo({ service: null, objective: query.data.objective });
      const objective = report.objectives[0];
      if (objective === undefined) {
        return problemResponse({ status: 404, title: 'Not found', detail: 'no objective of this id is declared; /v1/slo lists them' });
      }
      const page = `${sloExplanation(objective, report).join('\n')}\n`;
      return new Response(page, { headers: { 'content-type': ROUTES.sloExplanation.responses[200].content.type } });
    },

    async whatIf(context: Context): Promise<Response> {
      const query = whatIfQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const answer = await handlers.whatIf(whatIfOf(query.data));
      if (answer !== null) return Response.json(answer);
      return problemResponse({
        status: 404,
        title: 'No such endpoint',
        detail: 'no request of this service and endpoint is stored; `slipstream status` lists those that are',
      });
    },
  };
}
