/** An alert of a burning error budget in the words that people are told. */
import type { Notice } from '../../model/notice.ts';
import type { Objective } from '../../model/objective.ts';
import { readingText } from '../../model/slo-text.ts';
import type { AlertView } from '../../model/slo-views.ts';

/** Null while nothing fires. `publicUrl` is where the API is reached by people, or null. */
export function burnNotice(objective: Objective, alert: AlertView, publicUrl: string | null): Notice | null {
  const { severity, since, isFrozen, tiers } = alert;
  if (severity === null || since === null) return null;
  const { id, service, endpoint, text } = objective;
  const seen = tiers.find((reading) => reading.isFiring && reading.tier.severity === severity);
  return {
    // Another severity is another matter: a ticket that becomes a page must page.
    key: `burn:${id}:${severity}`,
    topic: 'burn',
    state: 'firing',
    severity,
    service,
    title: `${service}: ${text}${endpoint === null ? '' : ` of ${endpoint}`} burns its error budget`,
    details: [
      ...(seen === undefined ? [] : [readingText(seen)]),
      ...(isFrozen ? ['telemetry is lost: the alert stays as it was until it is back'] : []),
    ],
    labels: { objective: id },
    startsAt: since,
    endsAt: null,
    link:
      publicUrl === null
        ? null
        : `${publicUrl}/v1/slo/explanation?service=${encodeURIComponent(service)}&objective=${encodeURIComponent(id)}`,
  };
}
