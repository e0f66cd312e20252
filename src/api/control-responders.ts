/** Answers operators who hold back signals. */
import type { Context } from 'hono';
import { checkedBody } from './checked-body.ts';
import type { ControlHandlers } from './control-handlers.ts';
import { endHoldQuery, newHold, resetBreaker } from './control-schemas.ts';
import { durationMs } from './duration.ts';
import { invalidRequest, problemResponse } from './problem.ts';
import { unavailable } from './unavailable.ts';

export function controlResponders({ handlers }: { readonly handlers: ControlHandlers }) {
  return {
    async holdBack(context: Context): Promise<Response> {
      const body = await checkedBody(context.req.raw, newHold);
      if (!body.ok) return body.response;
      const { service = null, rollout = null, mode, by, reason, for: length } = body.value;
      const forMs = length === undefined ? null : durationMs(length);
      const said = await handlers.holdBack({ service, rollout, mode, by, reason, forMs });
      return said.outcome === 'unavailable' ? unavailable(said) : Response.json(said.override, { status: 201 });
    },

    async holds(): Promise<Response> {
      return Response.json(await handlers.holds());
    },

    async endHold(context: Context): Promise<Response> {
      const query = endHoldQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { service = null, rollout = null, by } = query.data;
      const said = await handlers.endHold({ service, rollout }, by);
      switch (said.outcome) {
        case 'ended':
          return Response.json(said.override);
        case 'none':
          return problemResponse({ status: 404, title: 'Not found', detail: 'no override of exactly this scope is in force' });
        case 'unavailable':
          return unavailable(said);
        default:
          return said satisfies never;
      }
    },

    async breaker(): Promise<Response> {
      return Response.json(await handlers.breaker());
    },

    async resetBreaker(context: Context): Promise<Response> {
      const body = await checkedBody(context.req.raw, resetBreaker);
      if (!body.ok) return body.response;
      const said = await handlers.resetBreaker(body.value.by, body.value.reason);
      return said.outcome === 'unavailable' ? unavailable(said) : Response.json(said.breaker);
    },
  };
}
