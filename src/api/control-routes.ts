/** Routes for operators who hold back signals. */
import * as control from './control-schemas.ts';
import { json, problem, type Route } from './route.ts';

export const controlRoutes = {
  holdBack: {
    method: 'POST',
    path: '/v1/overrides',
    summary:
      'Let no rollback, or nothing at all, leave: for everything, a service or a rollout. It ends the one of the same that is in force.',
    mutates: true,
    body: control.newHold,
    responses: { 201: json('It is in force and kept.', control.holdEntry), 503: problem('Not now; Retry-After says when.') },
  },
  holds: {
    method: 'GET',
    path: '/v1/overrides',
    summary: 'What operators forbid, why and until when; overrides that are over stay.',
    responses: { 200: json('Newest first.', control.holdList) },
  },
  endHold: {
    method: 'DELETE',
    path: '/v1/overrides',
    summary: 'End the override of exactly this scope. What was put off is decided anew.',
    mutates: true,
    query: control.endHoldQuery,
    responses: {
      200: json('As it ended.', control.holdEntry),
      404: problem('None is in force.'),
      503: problem('Not now; Retry-After says when.'),
    },
  },
  breaker: {
    method: 'GET',
    path: '/v1/breaker',
    summary: 'Why rollbacks are held, other than by operators: the breaker, services that cool down, a common cause.',
    responses: { 200: json('As it stands now.', control.breakerReport) },
  },
  resetBreaker: {
    method: 'POST',
    path: '/v1/breaker/reset',
    summary:
      'Somebody has looked: rollbacks of the past count no more for the breaker, and a common cause is over. Services go on cooling down.',
    mutates: true,
    body: control.resetBreaker,
    responses: { 200: json('As it stands now.', control.breakerReport), 503: problem('Not now; Retry-After says when.') },
  },
} as const satisfies Record<string, Route>;
