/** The webhook sink keeps the contract of sinks, signs as Standard Webhooks asks, and reads answers as the table of statuses says. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { PermanentError } from '../../src/model/errors.ts';
import { createSinks } from '../../src/sinks/create-sinks.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { WebhookSink } from '../../src/sinks/webhook-sink.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';
import { printConfig, webhookConfig } from '../support/sink-configs.ts';
import { type Answer, WebhookReceiver } from '../support/webhook-receiver.ts';
import { describeSink, failureOf, never } from './sink.contract.ts';

const SECRET = `whsec_${Buffer.from('correct-horse-battery-staple').toString('base64')}`;
const NEW_SECRET = `whsec_${Buffer.alloc(64, 7).toString('base64')}`;
const TOKEN = 'path-token-of-the-receiver';
const NOW = DECIDED_AT + 1_500;
const message = messageOf(sampleSignal(), DECIDED_AT);

function sinkTo(url: string, { secrets = [SECRET], timeoutMs = 10_000 } = {}): WebhookSink {
  return new WebhookSink(webhookConfig({ url, secrets: secrets.map((one) => new Secret(one)), timeoutMs }), () => NOW);
}

describeSink('webhook', async () => {
  const receiver = await WebhookReceiver.listen();
  return {
    sink: sinkTo(`${receiver.url}?token=${TOKEN}`),
    arrived: () => receiver.requests.map((request) => request.body),
    breakDown: () => receiver.answer(() => 'lost'),
    stall: () =>
      new Promise((resolve) => {
        receiver.answer(() => {
          resolve();
          return 'silent';
        });
      }),
    secrets: [SECRET, SECRET.slice(6), 'correct-horse-battery-staple', TOKEN],
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
    for (const status of [429, 503]) {
      receiver.answer(() => ({ status, headers: { 'retry-after': header } }));
      const error = await failureOf(sinkTo(receiver.url).deliver(message, never));
      expect(error).toMatchObject({ name: 'RetryableError', retryAfterMs: expectedMs });
    }
  });

  it.each<[string, Answer]>([
    ['there is no answer', 'silent'],
    ['the connection breaks', 'lost'],
  ])('may be repeated when %s', async (_, answer) => {
    receiver.answer(() => answer);
    const error = await failureOf(sinkTo(receiver.url, { timeoutMs: 100 }).deliver(message, never));
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
    await sinkTo(receiver.url, { timeoutMs: 100 }).deliver(message, never);
    expect(receiver.requests).toHaveLength(1);
  });

  it('does not read an answer without end to its end', async () => {
    receiver.answer(() => 'flood');
    await sinkTo(receiver.url, { timeoutMs: 300_000 }).deliver(message, never);
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('a webhook that could never deliver', () => {
  const refused = (config: { url?: string; secrets?: readonly string[] }) => () =>
    sinkTo(config.url ?? 'https://deploy.example/', { secrets: [...(config.secrets ?? [SECRET])] });

  it.each<[string, { url?: string; secrets?: readonly string[] }]>([
    ['no address', { url: 'deploy' }],
    ['another protocol', { url: 'ftp://deploy.example/' }],
    ['credentials in its address', { url: 'https://ada:sesame@deploy.example/' }],
    ['no secret', { secrets: [] }],
    ['a secret without its prefix', { secrets: [SECRET.slice(6)] }],
    ['a secret that is not base64', { secrets: ['whsec_sesame!sesame!sesame!sesame!sesame!'] }],
    ['a secret that is too short', { secrets: [`whsec_${Buffer.alloc(23).toString('base64')}`] }],
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
