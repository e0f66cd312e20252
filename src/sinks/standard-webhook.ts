/** Signs requests as Standard Webhooks 1.0.0 asks, with symmetric keys. */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Secret } from '../config/secret.ts';
import { PermanentError } from '../model/errors.ts';
import type { EpochMs } from '../model/time.ts';

const PREFIX = 'whsec_';
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const SHORTEST_KEY_BYTES = 24;
const LONGEST_KEY_BYTES = 64;

/** Reads `whsec_` + base64 of 24 to 64 bytes. `owner` names the secret in the error, which never shows the value. */
export function signingKey(secret: Secret, owner: string): KeyObject {
  const text = secret.reveal();
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  const bytes = BASE64.test(encoded) ? Buffer.from(encoded, 'base64') : Buffer.alloc(0);
  if (bytes.length < SHORTEST_KEY_BYTES || bytes.length > LONGEST_KEY_BYTES) {
    throw new PermanentError('invalid_secret', `${owner}: expected "${PREFIX}" and the base64 of 24 to 64 bytes`);
  }
  return createSecretKey(bytes);
}

/** Headers of one attempt: signed are `id.timestamp.body`, the timestamp (of the attempt) in whole seconds; one signature per key. */
export function signedHeaders(message: { readonly id: string; readonly body: string }, keys: readonly KeyObject[], now: EpochMs) {
  const timestamp = Math.floor(now / 1_000);
  const content = `${message.id}.${timestamp}.${message.body}`;
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': keys.map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`).join(' '),
  };
}
