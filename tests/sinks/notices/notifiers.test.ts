/** Alertmanager, Slack and PagerDuty as sinks and as ways to tell people, against HTTP servers that answer as theirs do. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import type { NotifierSinkConfig } from '../../../src/config/sink-config.ts';
import { messageOf } from '../../../src/sinks/message.ts';
import { createNotifier } from '../../../src/sinks/notices/create-notifier.ts';
import { NotifierSink } from '../../../src/sinks/notices/notifier-sink.ts';
import { signalNotice } from '../../../src/sinks/notices/signal-notice.ts';
import { DECIDED_AT, sampleSignal } from '../../store/samples.ts';
import { WebhookReceiver } from '../../support/webhook-receiver.ts';
import { describeSink, failureOf, never } from '../sink.contract.ts';
import { burn, NOW } from './notices.ts';

const SECRET = 'correct-horse-battery-staple';
const now = () => NOW;

type Type = NotifierSinkConfig['type'];

function configOf(type: Type, url: string, timeoutMs = 10_000): NotifierSinkConfig {
  const common = { name: 'people', isDryRun: false, timeoutMs, networks: null, burns: ['page'] } as const;
  switch (type) {
    case 'alertmanager':
      return { ...common, type, urls: [`${url}/am/`], token: new Secret(SECRET), resendMs: 60_000 };
    case 'slack':
      return { ...common, type, url: new Secret(`${url}/services/${SECRET}`) };
    case 'pagerduty':
      return { ...common, type, url: `${url}/v2/enqueue`, routingKey: new Secret(SECRET) };
    default:
      return type satisfies never;
  }
}

const BODIES: Readonly<Record<Type, (body: string) => unknown>> = {
  alertmanager: (body) => JSON.parse(body)[0].labels.signal,
  slack: (body) => JSON.parse(body).text,
  pagerduty: (body) => JSON.parse(body).dedup_key,
};

const message = messageOf(sampleSignal({ summary: 'Grüße\nfrom "checkout" \u0000 ☃' }), DECIDED_AT);
const EXPECTED: Readonly<Record<Type, string>> = {
  alertmanager: message.id,
  slack: 'Ticket: checkout: the new release is being rolled back',
  pagerduty: `rollback:${message.id}`,
};

for (const type of ['alertmanager', 'slack', 'pagerduty'] as const) {
  describeSink(type, async () => {
    const receiver = await WebhookReceiver.listen();
    const origin = new URL(receiver.url).origin;
    const sinkOf = (timeoutMs?: number, isDryRun = false) =>
      new NotifierSink(createNotifier(configOf(type, origin, timeoutMs), now), isDryRun);
    return {
      sink: sinkOf(),
      hasty: sinkOf(100),
      dry: sinkOf(10_000, true),
      expected: [EXPECTED[type]],
      arrived: () => receiver.requests.map(({ body }) => String(BODIES[type](body))),
      breakDown: () => receiver.answer(() => 'lost'),
      stall: () => {
        receiver.answer(() => 'silent');
        return receiver.received(1);
      },
      secrets: [SECRET],
      stop: () => receiver.close(),
    };
  });
}

describe('requests', () => {
  let receiver: WebhookReceiver;
  let origin: string;
  beforeEach(async () => {
    receiver = await WebhookReceiver.listen();
    origin = new URL(receiver.url).origin;
  });
  afterEach(() => receiver.close());

  it.each<[Type, string, string | undefined]>([
    ['alertmanager', '/am/api/v2/alerts', `Bearer ${SECRET}`],
    ['slack', `/services/${SECRET}`, undefined],
    ['pagerduty', '/v2/enqueue', undefined],
  ])('of %s go to its address, with its credentials', async (type, path, authorization) => {
    await createNotifier(configOf(type, origin), now).notify(burn('a'), never.abort);
    const [request] = receiver.requests;
    expect(request).toMatchObject({ method: 'POST', path });
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(request?.headers.authorization).toBe(authorization);
    if (type === 'pagerduty') expect(JSON.parse(request?.body ?? '')).toMatchObject({ routing_key: SECRET, event_action: 'trigger' });
  });

  it.each<[number, string, string]>([
    [400, 'PermanentError', 'refused'],
    [403, 'PermanentError', 'misdirected'],
    [404, 'PermanentError', 'misdirected'],
    [429, 'RetryableError', 'status'],
    [500, 'RetryableError', 'status'],
    [302, 'PermanentError', 'misdirected'],
  ])('that are answered with %i fail as the table of statuses says, and repeat no secret', async (status, name, code) => {
    receiver.answer(() => ({ status, headers: { 'retry-after': '7', location: `${origin}/elsewhere` }, body: `bad key ${SECRET}` }));
    for (const type of ['alertmanager', 'slack', 'pagerduty'] as const) {
      const error = await failureOf(createNotifier(configOf(type, origin), now).notify(signalNotice(message), never.abort));
      expect(error).toMatchObject({ name, code, ...(name === 'RetryableError' ? { retryAfterMs: 7000 } : {}) });
      expect(String(error)).not.toContain(SECRET);
    }
    expect(receiver.requests.map(({ path }) => path)).not.toContain('/elsewhere');
  });

  it('go to every Alertmanager, and are taken when one of them took it', async () => {
    const second = await WebhookReceiver.listen();
    try {
      const config = { ...configOf('alertmanager', origin), urls: [origin, new URL(second.url).origin] } as NotifierSinkConfig;
      const notifier = createNotifier(config, now);
      await notifier.notify(burn('a'), never.abort);
      expect([receiver.requests.length, second.requests.length]).toEqual([1, 1]);
      receiver.answer(() => ({ status: 503 }));
      await notifier.notify(burn('a'), never.abort);
      second.answer(() => ({ status: 400 }));
      expect(await failureOf(notifier.notify(burn('a'), never.abort))).toMatchObject({ code: 'status' });
    } finally {
      await second.close();
    }
  });
});
