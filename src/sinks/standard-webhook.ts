/** Signs requests as Standard Webhooks 1.0.0 asks, with symmetric keys (`v1`) and with ed25519 keys (`v1a`). */
import { createHmac, createPrivateKey, createPublicKey, createSecretKey, type KeyObject, sign } from 'node:crypto';
import type { Secret } from '../config/secret.ts';
import { PermanentError } from '../model/errors.ts';
import type { EpochMs } from '../model/time.ts';

const SECRET_PREFIX = 'whsec_';
const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const SHORTEST_SECRET_BYTES = 24;
const LONGEST_SECRET_BYTES = 64;
const SEED_BYTES = 32;
/** PKCS #8 of an ed25519 key (RFC 8410) up to the seed, which ends it. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Reads `whsec_` + base64 of 24 to 64 bytes. `owner` names the secret in the error, which never shows the value. */
export function signingKey(secret: Secret, owner: string): KeyObject {
  const bytes = decoded(secret, SECRET_PREFIX);
  if (bytes.length < SHORTEST_SECRET_BYTES || bytes.length > LONGEST_SECRET_BYTES) {
    throw new PermanentError('invalid_secret', `${owner}: expected "${SECRET_PREFIX}" and the base64 of 24 to 64 bytes`);
  }
  return createSecretKey(bytes);
}

/** Reads `whsk_` + base64 of the seed of 32 bytes, or of seed and public key, which must belong together. Errors as for `signingKey`. */
export function ed25519Key(secret: Secret, owner: string): KeyObject {
  const bytes = decoded(secret, PRIVATE_PREFIX);
  if (bytes.length !== SEED_BYTES && bytes.length !== 2 * SEED_BYTES) {
    throw new PermanentError('invalid_secret', `${owner}: expected "${PRIVATE_PREFIX}" and the base64 of 32 or 64 bytes`);
  }
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, bytes.subarray(0, SEED_BYTES)]), format: 'der', type: 'pkcs8' });
  if (bytes.length === 2 * SEED_BYTES && !publicBytes(key).equals(bytes.subarray(SEED_BYTES))) {
    throw new PermanentError('invalid_secret', `${owner}: the public key in it is not that of its seed`);
  }
  return key;
}

/** What receivers verify with: `whpk_` + base64 of the public key of an ed25519 key. */
export function publicKeyText(key: KeyObject): string {
  return PUBLIC_PREFIX + publicBytes(key).toString('base64');
}

/** Headers of one attempt: signed are `id.timestamp.body`, the timestamp (of the attempt) in whole seconds; one signature per key. */
export function signedHeaders(message: { readonly id: string; readonly body: string }, keys: readonly KeyObject[], now: EpochMs) {
  const timestamp = Math.floor(now / 1_000);
  const content = Buffer.from(`${message.id}.${timestamp}.${message.body}`);
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': keys.map((key) => signature(key, content)).join(' '),
  };
}

function signature(key: KeyObject, content: Buffer): string {
  if (key.type === 'secret') return `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  return `v1a,${sign(null, content, key).toString('base64')}`;
}

function decoded(secret: Secret, prefix: string): Buffer {
  const text = secret.reveal();
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : '';
  return BASE64.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
}

function publicBytes(key: KeyObject): Buffer {
  return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
}
