/** Where signals and notices go, as the process file has it. */
import { z } from 'zod';
import { duration, scalar, secretReference, section } from './fields.ts';
import { NAME_EXPECTED, NAME_PATTERN } from './name-pattern.ts';
import { Complaint } from './quantity.ts';
import { URI_REFERENCE, WEBHOOK_FORMATS } from './sink-config.ts';

const named = {
  name: z.string().regex(NAME_PATTERN, NAME_EXPECTED).describe('Name that policies use.'),
  dryRun: z
    .boolean()
    .prefault(false)
    .describe('True does everything but the effect itself and journals `dry_run`. Use it to try a new sink.'),
};

const timeout = duration({ min: '100ms', max: '5m' })
  .prefault('10s')
  .describe('Time for one attempt, connecting included. Use more for slow receivers.');

const networks = z
  .array(scalar({ type: 'string', pattern: '^[0-9a-fA-F.:]+/[0-9]{1,3}$' }, readNetwork))
  .min(1)
  .max(64)
  .optional()
  .describe(
    'CIDR blocks that the name may resolve to; checked at every connection. Left out: all but link-local (cloud metadata), multicast and unspecified addresses, and loopback only when the URL itself says so.',
  );

const httpUrl = scalar({ type: 'string', format: 'uri', pattern: '^https?://' }, readUrl);

const burns = z
  .array(z.enum(['page', 'ticket']))
  .max(2)
  .prefault(['page', 'ticket'])
  .describe('Which alerts of burning budgets are told here, of all services. Empty: none.');

const webhookSink = z
  .strictObject({
    type: z.literal('webhook').describe('Sends signals as signed HTTP requests (Standard Webhooks).'),
    ...named,
    url: httpUrl.describe('Where signals are posted.'),
    secrets: z
      .array(secretReference)
      .max(8)
      .prefault([])
      .describe('Signing secrets (`whsec_` and 24 to 64 bytes in base64); requests are signed with all of them. Use two while you rotate.'),
    signingKeys: z
      .array(secretReference)
      .max(8)
      .prefault([])
      .describe(
        'ed25519 keys (`whsk_` and base64 of the 32 bytes of the seed, or of seed and public key), used as `secrets` are. Use them where receivers must not be able to sign.',
      ),
    format: z
      .enum(WEBHOOK_FORMATS)
      .prefault('standard')
      .describe('What is in the body: our own payload, CloudEvents 1.0 around it, or CDEvents 0.5.1 in a CloudEvent.'),
    eventSource: z
      .string()
      .max(256)
      .regex(URI_REFERENCE, 'a URI reference, such as /slipstream/cluster-a')
      .prefault('/slipstream')
      .describe('`source` of events: a URI reference that names this Slipstream. Use one for each cluster.'),
    environment: z.string().min(1).max(253).prefault('production').describe('`environment.id` of CDEvents.'),
    awaitOutcome: z
      .boolean()
      .prefault(false)
      .describe(
        'True waits for the receiver to tell by `POST /v1/signals/{id}/outcome` what became of a signal, and tells people when it does not.',
      ),
    networks,
    timeout,
  })
  .describe('Signals as signed HTTP requests.');

const printSink = z
  .strictObject({ type: z.literal('print').describe('Writes signals to standard output, one JSON line each.'), ...named })
  .describe('Signals on standard output.');

const argoRolloutsSink = z
  .strictObject({
    type: z.literal('argo-rollouts').describe('Aborts and promotes Argo Rollouts. Needs `kubernetes` or to run in the cluster.'),
    ...named,
    onPromote: z
      .enum(['nothing', 'step', 'full'])
      .prefault('nothing')
      .describe('What a promotion leads to: nothing (the Rollout goes its own steps), the next step, or all of the traffic.'),
    onBadAfterPromotion: z
      .enum(['undo', 'nothing'])
      .prefault('undo')
      .describe('When harm shows after full promotion: put the template of the previous release back, or leave it to people.'),
    timeout,
  })
  .describe('Acts on Argo Rollouts.');

const kubernetesSink = z
  .strictObject({
    type: z
      .literal('kubernetes')
      .describe('Undoes plain Deployments as `kubectl rollout undo` does. Needs `kubernetes` or to run in the cluster.'),
    ...named,
    evenIfGitOps: z
      .boolean()
      .prefault(false)
      .describe(
        'True also undoes what Argo CD, Flux or Helm own. Left false they get an Event, since their owner would put the release back.',
      ),
    timeout,
  })
  .describe('Acts on plain Deployments.');

const alertmanagerSink = z
  .strictObject({
    type: z.literal('alertmanager').describe('Tells people through Alertmanager (API v2).'),
    ...named,
    urls: z.array(httpUrl).min(1).max(16).describe('Base addresses, one for each Alertmanager of the cluster: each gets everything.'),
    token: secretReference.optional().describe('Bearer token, where it asks for one.'),
    burns,
    resend: duration({ min: '5s', max: '10m' })
      .prefault('1m')
      .describe('What fires is sent again so often. Less than the `resolve_timeout` of Alertmanager (5m).'),
    networks,
    timeout,
  })
  .describe('Alerts for Alertmanager.');

const slackSink = z
  .strictObject({
    type: z.literal('slack').describe('Tells people in a channel of Slack, Mattermost or what takes the same messages.'),
    ...named,
    url: secretReference.describe('The incoming webhook. A secret: whoever knows it can write to the channel.'),
    burns,
    networks,
    timeout,
  })
  .describe('Messages in a channel.');

const pagerdutySink = z
  .strictObject({
    type: z.literal('pagerduty').describe('Pages people through PagerDuty (Events API v2).'),
    ...named,
    url: httpUrl
      .prefault('https://events.pagerduty.com/v2/enqueue')
      .describe('Use `https://events.eu.pagerduty.com/v2/enqueue` in the EU region.'),
    routingKey: secretReference.describe('Integration key of the service, 32 characters.'),
    burns,
    networks,
    timeout,
  })
  .describe('Pages through PagerDuty.');

export const sinks = z
  .array(
    z.discriminatedUnion('type', [webhookSink, printSink, argoRolloutsSink, kubernetesSink, alertmanagerSink, slackSink, pagerdutySink]),
  )
  .max(100)
  .prefault([])
  .describe('Where signals go. Empty: nowhere, verdicts only show in status and metrics.');

export const escalation = section('When people are told that a signal does not get through, or has no effect.', {
  after: duration({ min: '1s', max: '1h' }).prefault('60s').describe('A signal not delivered for so long is told of. It is still tried.'),
  confirmWithin: duration({ min: '1s', max: '1h' })
    .prefault('60s')
    .describe('A signal that was taken and whose effect is not seen for so long is told of. Use more where rolling back takes long.'),
  to: z
    .array(z.string().regex(NAME_PATTERN, NAME_EXPECTED))
    .max(16)
    .prefault([])
    .describe(
      'Names of sinks that tell people: alertmanager, slack or pagerduty. They are told of rollbacks that breaker, cool-down or a common cause withhold, too. Empty: only log and metrics tell.',
    ),
});

export type SinkDocument = z.output<typeof sinks>[number];

function readUrl(value: unknown): string | Complaint {
  const expected = 'an http or https address';
  if (typeof value !== 'string' || value.length > 2048 || !URL.canParse(value)) return new Complaint('not a URL', expected);
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return new Complaint('neither http nor https', expected);
  if (url.username !== '' || url.password !== '') return new Complaint('a URL with a password in it ends in logs', expected);
  return value;
}

function readNetwork(value: unknown): string | Complaint {
  const expected = 'a CIDR block such as 10.0.0.0/8 or fd00::/8';
  const text = String(value);
  const [address = '', bits = ''] = text.split('/');
  const isV6 = address.includes(':');
  const isAddress = URL.canParse(`http://${isV6 ? `[${address}]` : address}/`) && (isV6 || /^\d{1,3}(\.\d{1,3}){3}$/.test(address));
  if (!isAddress || !/^\d{1,3}$/.test(bits) || Number(bits) > (isV6 ? 128 : 32)) return new Complaint('not a network', expected);
  return text;
}
