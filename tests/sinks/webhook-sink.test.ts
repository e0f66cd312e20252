/** The webhook sink keeps the contract of sinks, signs as Standard Webhooks asks, and reads answers as the table of statuses says. */
import { createPublicKey, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { WEBHOOK_FORMATS, type WebhookFormat, type WebhookSinkConfig } from '../../src/config/sink-config.ts';
import { PermanentError } from '../../src/model/errors.ts';
import type { Signal } from '../../src/model/rollout.ts';
import { createSinks } from '../../src/sinks/create-sinks.ts';
import { messageOf } from '../../src/sinks/message.ts';
import type { SinkMessage } from '../../src/sinks/sink.ts';
import { ed25519Key, publicKeyText } from '../../src/sinks/standard-webhook.ts';
import { webhookFormatting } from '../../src/sinks/webhook-format.ts';
import { WebhookSink } from '../../src/sinks/webhook-sink.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { printConfig, webhookConfig } from '../support/sink-configs.ts';
import { type Answer, WebhookReceiver } from '../support/webhook-receiver.ts';
import { attempt, describeSink, failureOf, never } from './sink.contract.ts';

const SECRET = `whsec_${Buffer.from('correct-horse-battery-staple').toString('base64')}`;
const NEW_SECRET = `whsec_${Buffer.alloc(64, 7).toString('base64')}`;
const TOKEN = 'path-token-of-the-receiver';
const NOW = DECIDED_AT + 1_500;
const message = messageOf(sampleSignal(), DECIDED_AT);

function sinkTo(
  url: string,
  { secrets = [SECRET], ...change }: Partial<Omit<WebhookSinkConfig, 'secrets'>> & { secrets?: readonly string[] } = {},
): WebhookSink {
  return new WebhookSink(webhookConfig({ url, ...change, secrets: secrets.map((one) => new Secret(one)) }), () => NOW);
}

/** What a format sends for the message of the contract suite. */
function expectedBody(format: WebhookFormat, message: SinkMessage): string {
  return webhookFormatting(webhookConfig({ url: 'http://127.0.0.1/', format })).request(message).body;
}

const SEED = Buffer.alloc(32, 5);
const SIGNING_KEY = `whsk_${SEED.toString('base64')}`;
const contractMessage = messageOf(sampleSignal({ summary: 'Grüße\nfrom "checkout" \u0000 ☃' }), DECIDED_AT);

for (const format of WEBHOOK_FORMATS)
  describeSink(`webhook (${format})`, async () => {
    const receiver = await WebhookReceiver.listen();
    const url = `${receiver.url}?token=${TOKEN}`;
    const signingKeys = [new Secret(SIGNING_KEY)];
    return {
      sink: sinkTo(url, { format, signingKeys }),
      message: contractMessage,
      expected: [expectedBody(format, contractMessage)],
      arrived: () => receiver.requests.map((request) => request.body),
      breakDown: () => receiver.answer(() => 'lost'),
      stall: () =>
        new Promise((resolve) => {
          receiver.answer(() => {
            resolve();
            return 'silent';
          });
        }),
      hasty: sinkTo(url, { format, signingKeys, timeoutMs: 800 }),
      dry: sinkTo(url, { format, signingKeys, isDryRun: true }),
      secrets: [SECRET, SECRET.slice(6), 'correct-horse-battery-staple', TOKEN, SIGNING_KEY, SIGNING_KEY.slice(5)],
      stop: () => receiver.close(),
    };
  });

describe('a webhook request', () => {
  let receiver: WebhookReceiver;
  beforeEach(async () => {
    receiver = await WebhookReceiver.listen([SECRET, NEW_SECRET]);
  });
  afterEach(() => receiver.close());

  it('is a signed POST of the message with the signal as its id and the time of the attempt', async () => {
    await sinkTo(receiver.url).deliver(message, never);
    expect(receiver.requests).toMatchObject([
      {
        method: 'POST',
        path: '/signals',
        id: message.id,
        timestamp: Math.floor(NOW / 1_000),
        body: message.body,
        verified: [true, false],
        headers: { 'content-type': 'application/json', 'user-agent': 'slipstream' },
      },
    ]);
  });

  it('is signed with all secrets while they are rotated', async () => {
    await sinkTo(receiver.url, { secrets: [NEW_SECRET, SECRET] }).deliver(message, never);
    expect(receiver.requests[0]?.verified).toEqual([true, true]);
    expect(receiver.requests[0]?.headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/=]{44} v1,[A-Za-z0-9+/=]{44}$/);
  });

  it.each<[number, string]>([
    ...[200, 201, 202, 204, 299].map((status): [number, string] => [status, 'delivered']),
    ...[408, 425, 429, 500, 502, 503, 504, 507, 599].map((status): [number, string] => [status, 'status']),
    ...[409, 412].map((status): [number, string] => [status, 'superseded']),
    ...[400, 402, 405, 406, 413, 415, 418, 422, 451, 501].map((status): [number, string] => [status, 'refused']),
    ...[300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 410].map((status): [number, string] => [status, 'misdirected']),
  ])('answered with %i is %s', async (status, code) => {
    receiver.answer(() => ({ status, headers: { location: receiver.url } }));
    const outcome = await sinkTo(receiver.url)
      .deliver(message, never)
      .then(
        () => ({ code: 'delivered' }),
        (error) => error,
      );
    expect(outcome.code).toBe(code);
    if (code === 'status')
      expect(outcome).toMatchObject({ name: 'RetryableError', message: `delivering signal ${message.id} to webhook deploy: ${status}` });
    else if (code !== 'delivered') expect(outcome).toBeInstanceOf(PermanentError);
    // Redirects are not followed.
    expect(receiver.requests).toHaveLength(1);
  });

  it.each<[string, string, number | undefined]>([
    ['seconds', '7', 7_000],
    ['zero seconds', '0', 1_000],
    ['an hour', '3600', 60_000],
    ['absurdly many seconds', '9'.repeat(400), 60_000],
    ['a date', new Date(NOW + 20_000).toUTCString(), 19_822],
    ['a date of the past', new Date(NOW - 60_000).toUTCString(), 1_000],
    ['a date tomorrow', new Date(NOW + 86_400_000).toUTCString(), 60_000],
    ['a negative number', '-5', undefined],
    ['a fraction', '1.5', undefined],
    ['no date', 'soon', undefined],
    ['nothing', ' ', undefined],
  ])('told to come back after %s', async (_, header, expectedMs) => {
    for (const status of [408, 425, 429, 500, 502, 503, 504]) {
      receiver.answer(() => ({ status, headers: { 'retry-after': header } }));
      const error = await failureOf(sinkTo(receiver.url).deliver(message, never));
      expect(error).toMatchObject({ name: 'RetryableError', retryAfterMs: expectedMs });
    }
  });

  it.each([200, 204, 302, 400, 401, 404, 409, 410, 412, 501])('answered with %i hears no wish to come back', async (status) => {
    receiver.answer(() => ({ status, headers: { 'retry-after': '7' } }));
    const outcome = await sinkTo(receiver.url)
      .deliver(message, never)
      .catch((error: unknown) => error);
    if (status < 300) expect(outcome).toBe('acknowledged');
    else expect(outcome).toBeInstanceOf(PermanentError);
    expect(outcome).not.toHaveProperty('retryAfterMs');
  });

  it.each<[string, Answer]>([
    ['there is no answer', 'silent'],
    ['the connection breaks', 'lost'],
  ])('may be repeated when %s', async (_, answer) => {
    receiver.answer(() => answer);
    const timeoutMs = answer === 'silent' ? 100 : 10_000;
    const error = await failureOf(sinkTo(receiver.url, { timeoutMs }).deliver(message, never));
    expect(error).toMatchObject({ name: 'RetryableError', code: answer === 'silent' ? 'timeout' : 'network' });
  });

  it('may be repeated when nobody listens', async () => {
    const { url } = receiver;
    await receiver.close();
    const error = await failureOf(sinkTo(url).deliver(message, never));
    expect(error).toMatchObject({ name: 'RetryableError', code: 'network', message: expect.stringContaining('ECONNREFUSED') });
    receiver = await WebhookReceiver.listen();
  });

  it('is done when its status says so, though the rest of the answer does not come', async () => {
    receiver.answer(() => 'stuck');
    await sinkTo(receiver.url, { timeoutMs: 300_000 }).deliver(message, never);
    expect(receiver.requests).toHaveLength(1);
  });

  it('does not read an answer without end to its end', async () => {
    receiver.answer(() => 'flood');
    await sinkTo(receiver.url, { timeoutMs: 300_000 }).deliver(message, never);
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('a webhook request in the format', () => {
  let receiver: WebhookReceiver;
  beforeEach(async () => {
    receiver = await WebhookReceiver.listen([SECRET]);
  });
  afterEach(() => receiver.close());

  async function requestOf(format: WebhookFormat, change: Partial<Signal> = {}) {
    const signal = sampleSignal(change);
    await sinkTo(receiver.url, { format, eventSource: '/slo/cluster-a', environment: 'prod' }).deliver(
      messageOf(signal, DECIDED_AT),
      never,
    );
    const [request] = receiver.requests;
    if (request === undefined) throw new Error('nothing came');
    // Whatever the format, the id is the signal's and the signature that of the body.
    expect(request).toMatchObject({ id: signal.id, verified: [true] });
    return request;
  }

  it('cloudevents-structured has our payload as the data of an event', async () => {
    const { headers, body } = await requestOf('cloudevents-structured');
    expect(headers['content-type']).toBe('application/cloudevents+json');
    expect(JSON.parse(body)).toEqual({
      specversion: '1.0',
      id: message.id,
      source: '/slo/cluster-a',
      type: 'slipstream.signal.rollback',
      subject: 'checkout-42',
      time: '2026-01-02T03:04:05.678Z',
      datacontenttype: 'application/json',
      data: JSON.parse(message.body).data,
    });
  });

  it('cloudevents-binary has our payload as the body, and the rest in headers', async () => {
    const { headers, body } = await requestOf('cloudevents-binary', { rolloutId: 'Euro € 😀\r\nx-evil: 1' });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': message.id,
      'ce-source': '/slo/cluster-a',
      'ce-type': 'slipstream.signal.rollback',
      'ce-subject': 'Euro%20%E2%82%AC%20%F0%9F%98%80\\u{d}\\u{a}x-evil:%201',
      'ce-time': '2026-01-02T03:04:05.678Z',
    });
    expect(headers).not.toHaveProperty('ce-datacontenttype');
    expect(headers).not.toHaveProperty('x-evil');
    expect(JSON.parse(body)).toMatchObject({ id: message.id, action: 'rollback', rolloutId: 'Euro € 😀\r\nx-evil: 1' });
  });

  it.each<[Partial<Signal>, string, string]>([
    [{}, 'dev.cdevents.incident.detected.0.3.0', 'checkout-42/7'],
    [{ action: 'rolled_back', rolledBackTo: '5d21' }, 'dev.cdevents.service.rolledback.0.3.0', 'checkout'],
  ])('cdevents has an event of CDEvents as the data of an event with the same attributes', async (change, type, subject) => {
    const { headers, body } = await requestOf('cdevents', change);
    expect(headers['content-type']).toBe('application/cloudevents+json');
    const event = JSON.parse(body);
    expect(event).toMatchObject({
      specversion: '1.0',
      id: message.id,
      source: '/slo/cluster-a',
      type,
      subject,
      time: '2026-01-02T03:04:05.678Z',
    });
    expect(event.data).toMatchObject({
      context: { specversion: '0.5.1', id: message.id, source: '/slo/cluster-a', type, timestamp: event.time },
      subject: { id: subject, content: { environment: { id: 'prod' } } },
    });
  });

  it.each(WEBHOOK_FORMATS)('%s has the same bytes for every attempt, also after a restart', async (format) => {
    const bodies: string[] = [];
    for (let restart = 0; restart < 2; restart++) {
      const sink = sinkTo(receiver.url, { format });
      for (let count = 0; count < 2; count++) await sink.deliver(messageOf(sampleSignal(), DECIDED_AT), never);
    }
    for (const request of receiver.requests) bodies.push(request.body);
    expect(bodies).toHaveLength(4);
    expect(new Set(bodies).size).toBe(1);
    expect(new Set(receiver.requests.map(({ id }) => id))).toEqual(new Set([message.id]));
  });

  it.each<[WebhookFormat, readonly string[]]>([
    ['standard', ['hold', 'promote', 'rollback']],
    ['cloudevents-structured', ['hold', 'promote', 'rollback']],
    ['cloudevents-binary', ['hold', 'promote', 'rollback']],
    ['cdevents', ['rollback', 'rolled_back']],
  ])('%s has something to say of %j', (format, actions) => {
    expect([...sinkTo(receiver.url, { format }).actions].sort()).toEqual(actions);
  });
});

describe('a webhook', () => {
  it('signs with ed25519 keys beside the secrets, or alone', async () => {
    const receiver = await WebhookReceiver.listen([SECRET]);
    const signingKeys = [new Secret(SIGNING_KEY)];
    await sinkTo(receiver.url, { signingKeys }).deliver(message, never);
    await sinkTo(receiver.url, { signingKeys, secrets: [] }).deliver(message, never);
    const [both, alone] = receiver.requests.map(({ headers }) => String(headers['webhook-signature']).split(' '));
    expect(receiver.requests[0]?.verified).toEqual([true]);
    const x = Buffer.from(publicKeyText(ed25519Key(new Secret(SIGNING_KEY), 'test')).slice('whpk_'.length), 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const content = Buffer.from(`${message.id}.${Math.floor(NOW / 1_000)}.${message.body}`);
    for (const signature of [both?.[1], alone?.[0]])
      expect(verify(null, content, key, Buffer.from(signature?.replace(/^v1a,/, '') ?? '', 'base64'))).toBe(true);
    expect([both?.length, alone?.length]).toEqual([2, 1]);
    await receiver.close();
  });

  it.each([true, false])('says whether the other side will tell what became of a signal: %s', (awaitsOutcome) => {
    expect(sinkTo('https://deploy.example/', { awaitsOutcome }).awaitsOutcome).toBe(awaitsOutcome);
  });

  it('asks whether it may still act in a dry run too', async () => {
    const dry = sinkTo('https://deploy.example/', { isDryRun: true });
    expect(
      await failureOf(
        dry.deliver(
          message,
          attempt(never.abort, () => false),
        ),
      ),
    ).toMatchObject({ code: 'stale' });
    expect(await failureOf(dry.deliver(message, attempt(AbortSignal.abort())))).toMatchObject({ code: 'aborted' });
  });

  it.each<[string, readonly string[] | null]>([
    ['http://169.254.169.254/latest', null],
    ['http://2852039166/', null],
    ['http://[::ffff:169.254.169.254]/', null],
    ['http://127.0.0.1:9/', ['10.0.0.0/8']],
  ])('does not go to %s, and does not say where it did not go', async (url, networks) => {
    const error = await failureOf(sinkTo(url, { networks }).deliver(message, never));
    expect(error).toMatchObject({ name: 'PermanentError', code: 'misdirected' });
    expect(String(error)).not.toMatch(/169|2852039166|127/);
  });

  it('is heard twice and understood once when its answer is lost', async () => {
    const receiver = await WebhookReceiver.listen();
    const effects = new Set<string>();
    receiver.answer(({ id }, index) => {
      effects.add(id);
      return index === 0 ? 'lost' : { status: 200 };
    });
    const sink = sinkTo(receiver.url);
    expect(await failureOf(sink.deliver(message, never))).toMatchObject({ name: 'RetryableError', code: 'network' });
    await sink.deliver(message, never);
    expect([receiver.requests.length, effects.size]).toEqual([2, 1]);
    expect(receiver.requests[1]?.body).toBe(receiver.requests[0]?.body);
    await receiver.close();
  });
});

describe('a webhook that could never deliver', () => {
  interface Mistaken {
    readonly url?: string;
    readonly secrets?: readonly string[];
    readonly signingKeys?: readonly Secret[];
    readonly eventSource?: string;
  }
  const refused =
    ({ url = 'https://deploy.example/', ...change }: Mistaken) =>
    () =>
      sinkTo(url, change);

  it.each<[string, Mistaken]>([
    ['no address', { url: 'deploy' }],
    ['another protocol', { url: 'ftp://deploy.example/' }],
    ['credentials in its address', { url: 'https://ada:sesame@deploy.example/' }],
    ['no secret', { secrets: [] }],
    ['a secret without its prefix', { secrets: [SECRET.slice(6)] }],
    ['a secret that is not base64', { secrets: ['whsec_sesame!sesame!sesame!sesame!sesame!'] }],
    ['a secret that is too short', { secrets: [`whsec_${Buffer.alloc(23).toString('base64')}`] }],
    ['a signing key that is none', { signingKeys: [new Secret('whsk_sesame')] }],
    ['a source with a space in it', { eventSource: 'cluster a' }],
    ['a source that is half encoded', { eventSource: '/cluster%2' }],
    ['a secret that is too long', { secrets: [`whsec_${Buffer.alloc(65).toString('base64')}`] }],
  ])('because it has %s is refused at once, without showing why in full', (_, config) => {
    expect(refused(config)).toThrow(PermanentError);
    expect(refused(config)).not.toThrow(/sesame|AAAA/);
  });

  it('takes secrets of 24 and of 64 bytes', () => {
    for (const size of [24, 64]) expect(refused({ secrets: [`whsec_${Buffer.alloc(size).toString('base64')}`] })).not.toThrow();
  });
});

describe('the sinks of a configuration', () => {
  it('are found by name, and no name is taken twice', () => {
    const parts = { now: () => NOW, out: process.stdout };
    const webhook = webhookConfig({ url: 'https://deploy.example/', timeoutMs: 1 });
    expect([...createSinks([webhook, printConfig()], parts)].map(([name, sink]) => [name, sink.name])).toEqual([
      ['deploy', 'deploy'],
      ['terminal', 'terminal'],
    ]);
    expect(() => createSinks([webhook, printConfig('deploy')], parts)).toThrow(PermanentError);
  });
});
