/** Routes for pipelines that ask for a verdict. */
import { json, problem, type Route } from './route.ts';
import { pulledVerdict, verdictQuery, verdictRequest } from './verdict-schemas.ts';

export const verdictRoutes = {
  verdict: {
    method: 'GET',
    path: '/v1/verdict',
    summary: 'Pass, fail or inconclusive, for pipelines that ask; with `wait`, once it is settled.',
    query: verdictQuery,
    responses: { 200: json('The verdict, whichever it is.', pulledVerdict), 404: problem('No such rollout.') },
  },
  askVerdict: {
    method: 'POST',
    path: '/v1/verdict',
    summary: 'The same, and judging begins when nobody has asked for it yet. To be sent as often as wanted.',
    mutates: true,
    body: verdictRequest,
    responses: {
      200: json('The verdict, whichever it is.', pulledVerdict),
      422: problem('Understood, but cannot be judged.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
} as const satisfies Record<string, Route>;
