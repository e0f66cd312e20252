/** A notice as an alert of Alertmanager's API v2. */
import type { Notice } from '../../model/notice.ts';
import { shortened, visible } from '../../model/safe-text.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';

const MAX_VALUE = 1000;
/** What is told once has no end of its own: Alertmanager lets it go so long after it was told. What is told late would be over already by its own time. */
const TOLD_ONCE_MS: DurationMs = 15 * 60_000;

const NAMES: Readonly<Record<Notice['topic'], string>> = {
  burn: 'SlipstreamErrorBudgetBurn',
  rollback: 'SlipstreamRollback',
  promote: 'SlipstreamPromote',
  hold: 'SlipstreamHold',
  rolled_back: 'SlipstreamRolledBack',
  undelivered: 'SlipstreamSignalUndelivered',
  unconfirmed: 'SlipstreamSignalUnconfirmed',
};

/**
 * Labels are the identity of an alert, so only what does not change while it fires is among them. Without `endsAt` Alertmanager resolves
 * what is not sent again within its `resolve_timeout`, which is what is wanted when we are gone. `now` is the wall clock.
 */
export function alertmanagerAlert(
  { topic, state, severity, service, title, details, labels, startsAt, endsAt, link }: Notice,
  now: EpochMs,
) {
  const end: EpochMs | null = topic === 'burn' || state === 'resolved' ? endsAt : Math.max(startsAt, now) + TOLD_ONCE_MS;
  return {
    labels: {
      alertname: NAMES[topic],
      service: safe(service),
      ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, safe(value)])),
      severity,
    },
    annotations: { summary: safe(title), description: safe(details.join('\n')) },
    startsAt: new Date(startsAt).toISOString(),
    ...(end === null ? {} : { endsAt: new Date(end).toISOString() }),
    ...(link === null ? {} : { generatorURL: link }),
  };
}

function safe(text: string): string {
  return shortened(
    text
      .split('\n')
      .map((line) => visible(line))
      .join('\n'),
    MAX_VALUE,
  );
}
