/** Signatures are those of Standard Webhooks. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { fc, test } from '@fast-check/vitest';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { PermanentError } from '../../src/model/errors.ts';
import { messageOf } from '../../src/sinks/message.ts';
import { ed25519Key, publicKeyText, signedHeaders, signingKey } from '../../src/sinks/standard-webhook.ts';
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

/** RFC 8032, 7.1, test 1. */
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const PUBLIC = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');

function whsk(...parts: readonly Uint8Array[]): Secret {
  return new Secret(`whsk_${Buffer.concat(parts).toString('base64')}`);
}

/** What a receiver does that has nothing but a public key as text. */
function isVerified(publicText: string, headers: Record<string, string>, body: string): boolean {
  const x = Buffer.from(publicText.replace(/^whpk_/, ''), 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const content = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
  return (headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((one) => one.startsWith('v1a,'))
    .some((one) => verify(null, content, key, Buffer.from(one.slice('v1a,'.length), 'base64')));
}

/** Every key of a sender; a receiver tells them apart by the version in front. */
function headersOf(body: string, now: number, keys: readonly ReturnType<typeof signingKey>[]): Record<string, string> {
  return signedHeaders({ id: 'sig_1', body }, keys, now);
}

describe('an ed25519 key', () => {
  it.each<[string, Secret]>([
    ['its seed', whsk(SEED)],
    ['seed and public key', whsk(SEED, PUBLIC)],
  ])('is read from %s', (_, secret) => {
    expect(publicKeyText(ed25519Key(secret, 'test'))).toBe(`whpk_${PUBLIC.toString('base64')}`);
  });

  it.each<[string, Secret]>([
    ['no prefix', new Secret(SEED.toString('base64'))],
    ['the prefix of a symmetric key', new Secret(`whsec_${SEED.toString('base64')}`)],
    ['31 bytes', whsk(SEED.subarray(1))],
    ['33 bytes', whsk(SEED, Buffer.of(1))],
    ['63 bytes', whsk(SEED, PUBLIC.subarray(1))],
    ['what is not base64', new Secret('whsk_sesame!')],
    ["another seed's public key", whsk(SEED, Buffer.alloc(32, 7))],
  ])('with %s is refused without being shown', (_, secret) => {
    const reading = () => ed25519Key(secret, 'webhook deploy: signing key 1');
    expect(reading).toThrow(PermanentError);
    expect(reading).toThrow(/^webhook deploy: signing key 1: /);
    expect(reading).not.toThrow(new RegExp(secret.reveal().slice(5, 15).replaceAll('+', '\\+')));
  });

  test.prop([fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string({ unit: 'binary' }), fc.integer({ min: 0, max: 4e12 })])(
    'signs what its public key verifies, and nothing else',
    (seed, body, now) => {
      const key = ed25519Key(whsk(seed), 'test');
      const headers = headersOf(body, now, [key]);
      expect(headers['webhook-signature']).toMatch(/^v1a,[A-Za-z0-9+/]{86}==$/);
      expect(isVerified(publicKeyText(key), headers, body)).toBe(true);
      expect(isVerified(publicKeyText(key), headers, `${body} `)).toBe(false);
      expect(isVerified(publicKeyText(key), { ...headers, 'webhook-id': 'sig_2' }, body)).toBe(false);
      expect(isVerified(publicKeyText(key), { ...headers, 'webhook-timestamp': '1' }, body)).toBe(false);
    },
  );

  it('makes keys that other programs make', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
    const key = ed25519Key(whsk(Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')), 'test');
    const signature = headersOf('{}', 1_000, [key])['webhook-signature']?.slice('v1a,'.length) ?? '';
    expect(verify(null, Buffer.from('sig_1.1.{}'), publicKey, Buffer.from(signature, 'base64'))).toBe(true);
  });
});

describe('while keys are rotated', () => {
  const body = '{"a":1}';
  const now = Date.now();
  const oldSecret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const newSecret = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
  const oldKey = ed25519Key(whsk(Buffer.alloc(32, 3)), 'test');
  const newKey = ed25519Key(whsk(Buffer.alloc(32, 4)), 'test');
  const headers = headersOf(body, now, [...[oldSecret, newSecret].map((one) => signingKey(new Secret(one), 'test')), oldKey, newKey]);

  it('a receiver that knows only one of the secrets, old or new, verifies', () => {
    for (const secret of [oldSecret, newSecret]) expect(new Webhook(secret).verify(body, headers)).toEqual({ a: 1 });
    expect(() => new Webhook(`whsec_${Buffer.alloc(32, 9).toString('base64')}`).verify(body, headers)).toThrow('No matching signature');
  });

  it('a receiver that knows only one of the public keys, old or new, verifies', () => {
    for (const key of [oldKey, newKey]) expect(isVerified(publicKeyText(key), headers, body)).toBe(true);
    expect(isVerified(publicKeyText(ed25519Key(whsk(SEED), 'test')), headers, body)).toBe(false);
  });

  it('all keys sign, one after the other', () => {
    expect(headers['webhook-signature']?.split(' ').map((one) => one.split(',')[0])).toEqual(['v1', 'v1', 'v1a', 'v1a']);
  });
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
