/** Answers Flagger's webhooks: 200 is "yes", and everything else holds, so only what is meant answers 200. */
import type { Context } from 'hono';
import type { PolicyMode } from '../../model/policy.ts';
import { visible } from '../../model/safe-text.ts';
import { isToken } from '../access.ts';
import { checkedBody } from '../checked-body.ts';
import type { ResponderParts } from '../responder-parts.ts';
import { runInPlaceOf } from '../run-in-place.ts';
import type { Unavailable } from '../unavailable.ts';
import { explanationLink, isOver, type Said, said } from '../verdict-view.ts';
import { FlaggerCanaries, type Found } from './canaries.ts';
import { canaryName, type FlaggerHook, flaggerHook, isActive, weightTold } from './payload.ts';
import { mayStep } from './weight-step.ts';

/** 200: yes. 403: no. 503: cannot say. */
interface Answer {
  readonly status: 200 | 403 | 503;
  readonly text: string;
  readonly retryAfterMs?: number;
}

const yes = (text: string): Answer => ({ status: 200, text });
const no = (text: string): Answer => ({ status: 403, text });
const notNow = ({ detail, retryAfterMs }: Unavailable): Answer => ({ status: 503, text: `Cannot say now: ${detail}.`, retryAfterMs });

type Judged = Extract<Found, { outcome: 'run' }> & { readonly told: Said; readonly mode: PolicyMode; readonly minRequests: number };

export function flaggerResponders({ handlers, config, now }: ResponderParts) {
  const canaries = new FlaggerCanaries({ handlers, now });

  function hook(answer: (hook: FlaggerHook) => Promise<Answer>) {
    return async (context: Context): Promise<Response> => {
      const body = await checkedBody(context.req.raw, flaggerHook);
      if (!body.ok) return body.response;
      const given = body.value;
      if (!isToken(given.metadata?.token, config)) {
        return lineOf(given, no('metadata.token: must be the token of the API of Slipstream.'));
      }
      return lineOf(given, await answer(given));
    };
  }

  /** For hooks of a Canary that is being rolled out. `otherwise` is said of what cannot be judged now. */
  function whileActive(judge: (judged: Judged) => Answer, otherwise: (problem: Unavailable) => Answer = notNow) {
    return hook(async (given) => {
      if (!isActive(given)) return no(`No: the phase is ${visible(given.phase)}, so there is nothing to decide.`);
      const found = await canaries.inProgress(given);
      if (found.outcome === 'unavailable') return otherwise(found);
      if (found.outcome === 'refused') return no(`Cannot be judged: ${found.detail}.`);
      const policy = await handlers.policyOf(found.run.rollout.id);
      if (policy === null) return otherwise({ outcome: 'unavailable', detail: 'the run is gone', retryAfterMs: 1000 });
      const { mode, minRequests } = policy;
      const run = await handlers.allowed(await runInPlaceOf(found.run, handlers));
      const told = said(run, mode);
      const answer = judge({ ...found, run, told, mode, minRequests });
      const link = explanationLink(found.run, config.publicUrl);
      return link === null ? answer : { ...answer, text: `${answer.text} Why: ${link}` };
    });
  }

  /** A policy that only observes stands in nobody's way. */
  const observes = ({ mode }: Judged): boolean => mode === 'observe';

  /** Flagger counts anything but a yes as a failed check and rolls back at some number of them, so nothing but proven harm may say no here. */
  const unlessHarmful = ({ told }: Judged): Answer => (told.verdict === 'fail' ? no(told.text) : yes(told.text));
  const notHeldAgainst = ({ detail }: Unavailable): Answer => yes(`Not judged now, and so not held against the canary: ${detail}.`);

  const gate = whileActive((judged) => {
    const { told, run, canary, minRequests } = judged;
    if (observes(judged) || told.verdict === 'pass') return yes(told.text);
    if (told.verdict === 'fail' || isOver(run.state)) return no(told.text);
    const { isOpen, text } = mayStep(run, canary.lastStep, minRequests);
    if (!isOpen) return no(`The weight stays: ${text}.`);
    canary.lastStep = { canaryRequests: run.canaryRequests };
    return yes(`More traffic: ${text}.`);
  });

  const event = hook(async (given) => {
    // Another kind of hook that was pointed here by mistake must not be told yes: for `rollback` that would roll back every release.
    if (given.metadata?.eventMessage === undefined) return no('No: this is no event; it has no metadata.eventMessage.');
    if (given.phase === 'Succeeded') {
      const ended = await canaries.ended(given);
      return ended !== null && 'outcome' in ended ? notNow(ended) : yes('Noted.');
    }
    // An event may be of the moment before a new revision has its checksum, so none begins a run.
    const canary = canaries.find(given);
    const run = canary === null ? null : await handlers.run(canary.runId);
    const weight = weightTold(given);
    if (canary === null || run === null || isOver(run.state) || weight === null || weight === 0) return yes('Noted.');
    const { id, service, generation, baseline, canary: release, target } = run.rollout;
    const wish = { id, service, generation, baseline, canary: release, target, origin: 'api', startedAt: null, deadline: null } as const;
    const planned = await handlers.startRollout({ ...wish, canaryShare: weight / 100 });
    return planned.outcome === 'unavailable' ? notNow(planned) : yes('Noted.');
  });

  return {
    flaggerConfirmRollout: hook(async (given) => {
      if (isActive(given)) return no(`No: the phase is ${visible(given.phase)}, so the rollout has begun already.`);
      // The checksum is still that of the revision before, whose rollout is over.
      const ended = await canaries.ended(given);
      if (ended !== null && 'outcome' in ended) return notNow(ended);
      const { answer, findings } = await handlers.gate(given.metadata?.service ?? given.name);
      const why = findings.map((finding) => visible(finding.text)).join('; ');
      const because = why === '' ? '' : `: ${why}`;
      return answer === 'refuse' ? no(`The deploy gate refuses${because}.`) : yes(`The deploy gate says ${answer}${because}.`);
    }),

    flaggerPreRollout: whileActive((judged) => {
      // Flagger asks it only at weight 0: a step that was let through has not been made.
      judged.canary.lastStep = null;
      return unlessHarmful(judged);
    }, notHeldAgainst),

    flaggerRollout: whileActive(unlessHarmful, notHeldAgainst),
    flaggerConfirmTrafficIncrease: gate,
    flaggerGate: gate,

    flaggerConfirmPromotion: whileActive((judged) =>
      observes(judged) || judged.told.verdict === 'pass' ? yes(judged.told.text) : no(judged.told.text),
    ),

    flaggerRollback: whileActive(({ told }) => (told.verdict === 'fail' ? yes(told.text) : no(told.text))),

    flaggerPostRollout: hook(async (given) => {
      if (isActive(given)) return no(`No: the phase is ${visible(given.phase)}, so the rollout is not over.`);
      const ended = await canaries.ended(given);
      return ended !== null && 'outcome' in ended ? notNow(ended) : yes('Noted.');
    }),

    flaggerEvent: event,
    flaggerEvents: event,
  };
}

/** One line that begins with the Canary it is about. */
function lineOf(given: FlaggerHook, { status, text, retryAfterMs }: Answer): Response {
  const headers: Record<string, string> = { 'content-type': 'text/plain; charset=utf-8' };
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  return new Response(`${canaryName(given)}: ${text}\n`, { status, headers });
}
