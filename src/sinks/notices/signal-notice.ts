/** A signal in the words that people are told. */
import type { Notice } from '../../model/notice.ts';
import { momentText } from '../../model/number-text.ts';
import { reasonText } from '../../model/reason-text.ts';
import type { SignalAction } from '../../model/rollout.ts';
import { isWithheld } from '../../model/withheld.ts';
import type { SinkMessage } from '../sink.ts';

const TITLES: Readonly<Record<SignalAction, string>> = {
  rollback: 'the new release is being rolled back',
  promote: 'the new release is healthy',
  hold: 'a rollout is held, a person must look',
  rolled_back: 'the deploy system has rolled back',
};

const WITHHELD_TITLE = 'the new release does harm and is not rolled back, a person must act';

/** What happened by itself needs nobody at once; what is held waits for somebody, and a rollback that is withheld needs somebody now. */
const SEVERITIES: Readonly<Record<SignalAction, Notice['severity']>> = {
  rollback: 'ticket',
  promote: 'info',
  hold: 'ticket',
  rolled_back: 'info',
};

export function signalNotice({ signal, decidedAt }: SinkMessage): Notice {
  const { id, action, service, rolloutId, generation, reason, target } = signal;
  return {
    key: `${action}:${id}`,
    topic: action,
    state: 'firing',
    severity: isWithheld(signal) ? 'page' : SEVERITIES[action],
    service,
    title: `${service}: ${isWithheld(signal) ? WITHHELD_TITLE : TITLES[action]}`,
    details: [
      signal.summary,
      `reason: ${reasonText(reason)}`,
      `rollout ${rolloutId}, generation ${generation}`,
      ...(target === null ? [] : [`${target.kind} ${target.namespace}/${target.name} (${target.fence})`]),
      `decided ${momentText(decidedAt)}, evidence up to ${momentText(signal.evidenceAt)}`,
    ],
    labels: { action, reason, rollout: rolloutId, generation: String(generation), signal: id },
    startsAt: decidedAt,
    endsAt: null,
    link: signal.link,
  };
}
