/** A notice as an event of PagerDuty's Events API v2. */
import type { Notice } from '../../model/notice.ts';
import { shortened, visible } from '../../model/safe-text.ts';

/** Source: PagerDuty, Events API v2: summary at most 1024 characters, dedup_key at most 255. */
const MAX_SUMMARY = 1024;
const MAX_KEY = 255;
const MAX_LINE = 500;

const SEVERITIES = { page: 'critical', ticket: 'warning', info: 'info' } as const;

/** Without the routing key, which only the request carries. */
export function pagerdutyEvent({ key, topic, state, severity, service, title, details, labels, startsAt, link }: Notice) {
  const common = { event_action: state === 'firing' ? 'trigger' : 'resolve', dedup_key: dedupKey(key) };
  if (state === 'resolved') return common;
  return {
    ...common,
    client: 'Slipstream',
    ...(link === null ? {} : { client_url: link, links: [{ href: link, text: 'why' }] }),
    payload: {
      summary: shortened(visible(title), MAX_SUMMARY),
      source: visible(service),
      severity: SEVERITIES[severity],
      timestamp: new Date(startsAt).toISOString(),
      component: visible(service),
      class: topic,
      custom_details: {
        ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, shortened(visible(value), MAX_LINE)])),
        details: details.map((line) => shortened(visible(line), MAX_LINE)),
      },
    },
  };
}

/** Ids of objectives and signals are short; a key that is not keeps its end, where keys differ. */
function dedupKey(key: string): string {
  return key.length <= MAX_KEY ? key : key.slice(-MAX_KEY);
}
