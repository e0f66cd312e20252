/** What people are told of a delivery that needs one of them. */
import type { Notice } from '../model/notice.ts';
import { visible } from '../model/safe-text.ts';
import type { DurationMs, EpochMs } from '../model/time.ts';
import type { JournalEntry } from '../store/journal.ts';

export type DeliveryTopic = Extract<Notice['topic'], 'undelivered' | 'unconfirmed'>;

const MAX_LINE = 300;

type Told = Pick<JournalEntry, 'signal' | 'sink' | 'state' | 'attempts' | 'lastError' | 'decidedAt'>;

/** The same for the same entry, topic and moment, so that a repetition replaces what was told. A rollback that does not happen is worth a page. */
export function deliveryNotice(entry: Told, topic: DeliveryTopic, now: EpochMs): Notice {
  const { signal, sink, attempts, lastError, decidedAt } = entry;
  const { target } = signal;
  const after = seconds(now - decidedAt);
  return {
    key: `${topic}:${signal.id}:${sink}`,
    topic,
    state: 'firing',
    severity: signal.action === 'rollback' ? 'page' : 'ticket',
    service: signal.service,
    title: line(`${signal.action} of ${signal.rolloutId} (${signal.service}) ${whatIsWrong(entry, topic)}, ${after} after the decision`),
    details: [
      ...(target === null ? [] : [`object: ${target.kind} ${target.namespace}/${target.name}, fence ${target.fence}`]),
      `why: ${signal.summary}`,
      `state: ${entry.state}, attempts: ${attempts}`,
      ...(lastError === null ? [] : [`last error: ${lastError}`]),
      `signal: ${signal.id}, not to be acted upon after ${new Date(signal.notAfter).toISOString()}`,
    ].map(line),
    labels: {
      signal: signal.id,
      rollout: signal.rolloutId,
      generation: String(signal.generation),
      action: signal.action,
      reason: signal.reason,
      sink,
    },
    startsAt: decidedAt,
    endsAt: null,
    link: signal.link,
  };
}

/** Ends what `deliveryNotice` began: nobody is needed any more. The same labels, by which some channels know it. */
export function settledNotice(entry: Told, topic: DeliveryTopic, now: EpochMs): Notice {
  const { signal, decidedAt } = entry;
  const title = `${signal.action} of ${signal.rolloutId} (${signal.service}) ${howItEnded(entry)}, ${seconds(now - decidedAt)} after the decision`;
  return { ...deliveryNotice(entry, topic, now), state: 'resolved', title: line(title), endsAt: Math.max(now, decidedAt) };
}

function howItEnded({ sink, state }: Told): string {
  if (state === 'superseded') return 'is needed no more: something newer is being rolled out';
  return state === 'confirmed' ? `was done by ${sink}` : `was taken by ${sink}`;
}

function whatIsWrong({ sink, state, lastError }: Told, topic: DeliveryTopic): string {
  if (topic === 'unconfirmed') {
    return state === 'escalated'
      ? `was not done by ${sink}: ${lastError ?? 'no reason given'}`
      : `was taken by ${sink} and no effect was seen`;
  }
  if (state === 'expired') return `expired before ${sink} took it`;
  if (state === 'escalated') return `was declined by ${sink}: a person must act`;
  return `has not reached ${sink}`;
}

function seconds(ms: DurationMs): string {
  return `${Math.max(0, Math.round(ms / 1_000))} s`;
}

function line(text: string): string {
  const shown = visible(text);
  return shown.length <= MAX_LINE ? shown : `${shown.slice(0, MAX_LINE - 1)}…`;
}
