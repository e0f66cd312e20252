/** Routes for Flagger's webhooks. */
import { type Route, text } from '../route.ts';
import { flaggerHook } from './payload.ts';

const LINE = 'text/plain; charset=utf-8';

/** Flagger goes on at 200 and holds at everything else, whose body it shows to people. */
function hook(path: string, summary: string, whenYes: string) {
  return {
    method: 'POST',
    path: `/flagger/v1/${path}`,
    summary,
    tokenInBody: true,
    body: flaggerHook,
    responses: {
      200: text(whenYes, LINE),
      403: text('No, and why.', LINE),
      503: text('Not now; Flagger asks again if `retries` is set.', LINE),
    },
  } as const satisfies Route;
}

export const flaggerRoutes = {
  flaggerConfirmRollout: hook('confirm-rollout', 'May this service be rolled out now? Asks the deploy gate.', 'The gate does not refuse.'),
  flaggerPreRollout: hook('pre-rollout', 'Begin to judge.', 'Not proven bad.'),
  flaggerRollout: hook('rollout', 'A check at every interval.', 'Not proven bad.'),
  flaggerConfirmTrafficIncrease: hook(
    'confirm-traffic-increase',
    'May the canary get more traffic?',
    'Enough was seen and nothing speaks against it.',
  ),
  flaggerGate: hook('gate', 'The same as confirm-traffic-increase.', 'Enough was seen and nothing speaks against it.'),
  flaggerConfirmPromotion: hook('confirm-promotion', 'May the canary be promoted?', 'It is proven healthy.'),
  flaggerRollback: hook('rollback', 'Is this revision to be rolled back?', 'Roll back: harm is proven.'),
  flaggerPostRollout: hook('post-rollout', 'The rollout is over.', 'Noted.'),
  flaggerEvent: hook('event', 'What Flagger does: weights become the planned share of the canary.', 'Noted.'),
  flaggerEvents: hook('events', 'The same as event.', 'Noted.'),
} as const satisfies Record<string, Route>;
