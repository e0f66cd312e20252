/** Notices as other systems take them: fields, bounds, and names out of telemetry that do no harm. */
import { describe, expect, it } from 'vitest';
import type { Notice } from '../../../src/model/notice.ts';
import type { Signal } from '../../../src/model/rollout.ts';
import { deliveryNotice, settledNotice } from '../../../src/sinks/delivery-notice.ts';
import { messageOf } from '../../../src/sinks/message.ts';
import { alertmanagerAlert } from '../../../src/sinks/notices/alertmanager-alert.ts';
import { pagerdutyEvent } from '../../../src/sinks/notices/pagerduty-event.ts';
import { signalNotice } from '../../../src/sinks/notices/signal-notice.ts';
import { slackMessage } from '../../../src/sinks/notices/slack-message.ts';
import { DECIDED_AT, sampleSignal } from '../../store/samples.ts';
import { burn, NOW } from './notices.ts';

const HOSTILE = '<!channel> @here </a>&\u001b[31m\u202e\nevil';

describe('a message for a channel', () => {
  it('says in one line what it is about, and below what it rests on and where to read more', () => {
    expect(slackMessage(burn('availability'))).toEqual({
      text: 'PAGE: shop: availability burns its error budget',
      attachments: [
        {
          color: '#c0392b',
          fallback: '120 bad of 3,000 in 60 min (40 times too fast)',
          text: '120 bad of 3,000 in 60 min (40 times too fast)\n<https://slipstream.example.com/v1/slo/explanation|why>',
          mrkdwn_in: [],
        },
      ],
    });
  });

  it('calls nobody, makes no link and forges no line, whatever a service is named', () => {
    const { text, attachments } = slackMessage(burn('a', { title: HOSTILE, details: [HOSTILE] }));
    for (const shown of [text, attachments[0]?.fallback ?? '']) {
      expect(shown).toContain('&lt;!channel&gt; @\u200bhere &lt;/a&gt;&amp;\\u{1b}[31m\\u{202e}\\u{a}evil');
    }
  });

  it('is bounded', () => {
    const long = burn('a', { title: 'x'.repeat(10_000), details: Array.from({ length: 20 }, () => 'y'.repeat(10_000)) });
    expect(JSON.stringify(slackMessage(long)).length).toBeLessThan(25_000);
  });
});

describe('an event for PagerDuty', () => {
  it('triggers what fires and resolves it under the same key', () => {
    expect(pagerdutyEvent(burn('availability'))).toEqual({
      event_action: 'trigger',
      dedup_key: 'burn:availability:page',
      client: 'Slipstream',
      client_url: 'https://slipstream.example.com/v1/slo/explanation',
      links: [{ href: 'https://slipstream.example.com/v1/slo/explanation', text: 'why' }],
      payload: {
        summary: 'shop: availability burns its error budget',
        source: 'shop',
        severity: 'critical',
        timestamp: new Date(NOW - 60_000).toISOString(),
        component: 'shop',
        class: 'burn',
        custom_details: { objective: 'availability', details: ['120 bad of 3,000 in 60 min (40 times too fast)'] },
      },
    });
    expect(pagerdutyEvent(burn('availability', { state: 'resolved', endsAt: NOW }))).toEqual({
      event_action: 'resolve',
      dedup_key: 'burn:availability:page',
    });
  });

  it('keeps to the lengths that PagerDuty takes', () => {
    const { dedup_key: key, payload } = pagerdutyEvent(burn('x'.repeat(600), { title: 'y'.repeat(5000) })) as {
      dedup_key: string;
      payload: { summary: string };
    };
    expect(key).toHaveLength(255);
    expect(payload.summary).toHaveLength(1024);
  });
});

describe('an alert for Alertmanager', () => {
  it('has an identity that stays while it fires, no end while it fires, and its end afterwards', () => {
    const firing = alertmanagerAlert(burn('availability'), NOW);
    const again = alertmanagerAlert(burn('availability', { details: ['other figures'] }), NOW);
    const over = alertmanagerAlert(burn('availability', { state: 'resolved', endsAt: NOW }), NOW);
    expect(firing).toEqual({
      labels: { alertname: 'SlipstreamErrorBudgetBurn', service: 'shop', objective: 'availability', severity: 'page' },
      annotations: {
        summary: 'shop: availability burns its error budget',
        description: '120 bad of 3,000 in 60 min (40 times too fast)',
      },
      startsAt: new Date(NOW - 60_000).toISOString(),
      generatorURL: 'https://slipstream.example.com/v1/slo/explanation',
    });
    expect(again.labels).toEqual(firing.labels);
    expect(over).toMatchObject({ labels: firing.labels, endsAt: new Date(NOW).toISOString() });
  });

  it('lets what is told once end by itself', () => {
    const alert = alertmanagerAlert(signalNotice(messageOf(sampleSignal(), DECIDED_AT)), DECIDED_AT);
    expect(alert).toMatchObject({
      labels: { alertname: 'SlipstreamRollback', service: 'checkout', rollout: 'checkout-42', reason: 'harm_proven', severity: 'ticket' },
      endsAt: new Date(DECIDED_AT + 900_000).toISOString(),
    });
  });
});

describe('an alert that is told long after it began', () => {
  const { signal } = messageOf(sampleSignal(), DECIDED_AT);
  const told = { signal, sink: 'deploy', attempts: 30, lastError: 'ECONNREFUSED', decidedAt: DECIDED_AT };
  const later = DECIDED_AT + 3_600_000;
  const late = deliveryNotice({ ...told, state: 'expired' }, 'undelivered', later);

  it('is not over already when Alertmanager gets it', () => {
    expect(alertmanagerAlert(late, later)).toMatchObject({ endsAt: new Date(later + 900_000).toISOString() });
  });

  it('is over at once, and the same alert, when the signal got through after all', () => {
    const over = alertmanagerAlert(settledNotice({ ...told, state: 'acknowledged' }, 'undelivered', later), later);
    expect(over).toMatchObject({ labels: alertmanagerAlert(late, later).labels, endsAt: new Date(later).toISOString() });
  });
});

describe('the notice of a signal', () => {
  it.each<[Signal['action'], Notice['severity'], string]>([
    ['rollback', 'ticket', 'checkout: the new release is being rolled back'],
    ['hold', 'ticket', 'checkout: a rollout is held, a person must look'],
    ['promote', 'info', 'checkout: the new release is healthy'],
    ['rolled_back', 'info', 'checkout: the deploy system has rolled back'],
  ])('of a %s says so, as %s', (action, severity, title) => {
    const target = { kind: 'Rollout', namespace: 'prod', name: 'checkout', fence: '7c9f' } as const;
    const notice = signalNotice(messageOf(sampleSignal({ action, target }), DECIDED_AT));
    expect(notice).toMatchObject({ topic: action, severity, title, key: `${action}:${sampleSignal().id}`, state: 'firing' });
    expect(notice.details).toEqual([
      'errors POST /checkout: 31 of 400 against 2 of 4000',
      expect.stringMatching(/^reason: .+/),
      'rollout checkout-42, generation 7',
      'Rollout prod/checkout (7c9f)',
      'decided 2026-01-02 03:04:05 UTC, evidence up to 2026-01-02 03:04:01 UTC',
    ]);
  });

  it.each(['breaker_open', 'common_cause', 'cool_down'] as const)(
    'of a rollback that is withheld for %s calls somebody at once',
    (reason) => {
      expect(signalNotice(messageOf(sampleSignal({ action: 'hold', reason }), DECIDED_AT))).toMatchObject({
        severity: 'page',
        title: 'checkout: the new release does harm and is not rolled back, a person must act',
      });
    },
  );
});
