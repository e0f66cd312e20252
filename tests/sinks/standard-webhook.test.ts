/** Signatures are those of Standard Webhooks. */
import { fc, test } from '@fast-check/vitest';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { signedHeaders, signingKey } from '../../src/sinks/standard-webhook.ts';
import { DECIDED_AT, sampleSignal } from '../store/samples.ts';

describe('a signature', () => {
  it('is the published one for the published message', () => {
    const key = signingKey(new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'), 'test');
    expect(signedHeaders({ id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' }, [key], 1_614_265_330_999)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test.prop([fc.uint8Array({ minLength: 24, maxLength: 64 }), fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 4e12 })])(
    'is what an independent library makes and accepts',
    (bytes, body, now) => {
      const text = `whsec_${Buffer.from(bytes).toString('base64')}`;
      const headers = signedHeaders({ id: 'sig_1', body }, [signingKey(new Secret(text), 'test')], now);
      expect(headers['webhook-signature']).toBe(new Webhook(text).sign('sig_1', new Date(now), body));
    },
  );
});

describe('a message', () => {
  it('has its keys in one order and the time of the decision', () => {
    const shuffled = Object.fromEntries(Object.entries(sampleSignal()).reverse()) as unknown as ReturnType<typeof sampleSignal>;
    const { id, body } = messageOf(shuffled, DECIDED_AT);
    expect(id).toBe(sampleSignal().id);
    expect(body).toBe(
      '{"type":"slipstream.signal.rollback","timestamp":"2026-01-02T03:04:05.678Z","data":{' +
        '"id":"sig_0123456789abcdef0123456789abcdef01234567","rolloutId":"checkout-42","generation":7,"policyId":"default",' +
        '"service":"checkout","action":"rollback","reason":"harm_proven","summary":"errors POST /checkout: 31 of 400 against 2 of 4000",' +
        `"evidenceDigest":"${'e'.repeat(64)}","evidenceAt":"2026-01-02T03:04:01.678Z","notAfter":"2026-01-02T03:14:05.678Z"}}`,
    );
  });
});
