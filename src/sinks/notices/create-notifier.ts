/** Makes the notifiers that the configuration names. */
import type { NotifierSinkConfig } from '../../config/sink-config.ts';
import type { EpochMs } from '../../model/time.ts';
import { alertmanagerAlert } from './alertmanager-alert.ts';
import { pagerdutyEvent } from './pagerduty-event.ts';
import { RequestingNotifier } from './requesting-notifier.ts';
import { slackMessage } from './slack-message.ts';

export function createNotifier(config: NotifierSinkConfig, now: () => EpochMs): RequestingNotifier {
  const common = { name: config.name, timeoutMs: config.timeoutMs, networks: config.networks, now };
  switch (config.type) {
    case 'alertmanager': {
      const token = config.token?.reveal();
      return new RequestingNotifier({
        ...common,
        urls: config.urls.map((url) => new URL(`${url.replace(/\/+$/, '')}/api/v2/alerts`)),
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        secrets: token === undefined ? [] : [token],
        bodyOf: (notice) => [alertmanagerAlert(notice, now())],
      });
    }
    case 'slack':
      return new RequestingNotifier({
        ...common,
        urls: [new URL(config.url.reveal())],
        secrets: [config.url.reveal()],
        bodyOf: slackMessage,
      });
    case 'pagerduty': {
      const key = config.routingKey.reveal();
      return new RequestingNotifier({
        ...common,
        urls: [new URL(config.url)],
        secrets: [key],
        bodyOf: (notice) => ({ routing_key: key, ...pagerdutyEvent(notice) }),
      });
    }
    default:
      return config satisfies never;
  }
}
