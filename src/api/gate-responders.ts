/** What the routes of the deploy gate answer. */
import type { Context } from 'hono';
import type { EpochMs } from '../model/time.ts';
import { checkedBody } from './checked-body.ts';
import { durationMs } from './duration.ts';
import type { GateHandlers } from './gate-handlers.ts';
import { endOverrideQuery, gateQuery, newLoadTest, overrideQuery, startOverride } from './gate-schemas.ts';
import { invalidRequest, problemResponse } from './problem.ts';
import { unavailable } from './unavailable.ts';

/** A clock this far ahead of ours is taken for a mistake. */
const MAX_AHEAD_MS = 60_000;

export function gateResponders(handlers: GateHandlers, now: () => EpochMs) {
  return {
    /** 200 whatever the answer is: that it could be given is what the status says. */
    async gate(context: Context): Promise<Response> {
      const query = gateQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      return Response.json(await handlers.gate(query.data.service));
    },

    async overrideGate(context: Context): Promise<Response> {
      const body = await checkedBody(context.req.raw, startOverride);
      if (!body.ok) return body.response;
      const { service, by, reason } = body.value;
      const said = await handlers.overrideGate({ service, by, reason, forMs: durationMs(body.value.for) ?? 0 });
      return said.outcome === 'unavailable' ? unavailable(said) : Response.json(said.override, { status: 201 });
    },

    async gateOverrides(context: Context): Promise<Response> {
      const query = overrideQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const { service } = query.data;
      const trail = await handlers.gateOverrides();
      const overrides = trail.overrides.filter((entry) => service === undefined || entry.service === service);
      return Response.json({ now: trail.now, overrides });
    },

    async endGateOverride(context: Context): Promise<Response> {
      const query = endOverrideQuery.safeParse(context.req.query());
      if (!query.success) return problemResponse(invalidRequest(query.error, 'query'));
      const said = await handlers.endGateOverride(query.data.service, query.data.by);
      switch (said.outcome) {
        case 'ended':
          return Response.json(said.override);
        case 'none':
          return problemResponse({ status: 404, title: 'Not found', detail: 'no override of this service is in force' });
        case 'unavailable':
          return unavailable(said);
        default:
          return said satisfies never;
      }
    },

    async addLoadTest(context: Context): Promise<Response> {
      const body = await checkedBody(context.req.raw, newLoadTest);
      if (!body.ok) return body.response;
      const { at: text, ...told } = body.value;
      const at = text === undefined ? now() : Date.parse(text);
      if (at > now() + MAX_AHEAD_MS) {
        const errors = [{ pointer: '/at', detail: 'lies in the future' }];
        return problemResponse({ status: 400, title: 'Invalid request', detail: '/at: lies in the future', errors });
      }
      const result = { ...told, at };
      const said = await handlers.addLoadTest(result);
      return said.outcome === 'unavailable' ? unavailable(said) : Response.json(result, { status: 201 });
    },
  };
}
