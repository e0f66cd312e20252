/** Fetches a secret from where the file says it is; neither the value nor anything like it gets into a message. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SecretReference } from './fields.ts';
import { Complaint } from './quantity.ts';
import { Secret } from './secret.ts';
import { errorCode } from './source-files.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const MAX_SECRET_CHARS = 8192;

/** Relative files start at `base`; the last line break of a file does not count. */
export function readSecret(reference: SecretReference, base: string, env: Environment): Secret | Complaint {
  let value: string | undefined;
  if (reference.env !== undefined) {
    value = env[reference.env];
    if (value === undefined) return new Complaint(`the environment variable ${reference.env} is not set`);
  } else {
    try {
      value = readFileSync(resolve(base, reference.file ?? ''), 'utf8').replace(/\r?\n$/, '');
    } catch (error) {
      return new Complaint(`the file of this secret cannot be read (${errorCode(error)})`);
    }
  }
  if (value === '') return new Complaint('this secret is empty');
  return value.length > MAX_SECRET_CHARS ? new Complaint('this secret is longer than any secret') : new Secret(value);
}

/** Why a webhook cannot be signed with it. */
export function webhookSecretComplaint(secret: Secret): Complaint | null {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret.reveal());
  const size = match === null ? 0 : Buffer.from(match[1] ?? '', 'base64').length;
  return size >= 24 && size <= 64 ? null : new Complaint('this is no signing secret', '`whsec_` and 24 to 64 bytes in base64');
}

const MIN_TOKEN_CHARS = 16;
/** Each is compared with what a request presents. */
const MAX_TOKENS = 8;

/** Why it cannot be a bearer token. */
export function tokenComplaint(secret: Secret): Complaint | null {
  const value = secret.reveal();
  if (!/^[\x21-\x7e]+$/.test(value)) return new Complaint('this token has characters no HTTP header can carry');
  return value.length < MIN_TOKEN_CHARS ? new Complaint('this token is easily guessed', `at least ${MIN_TOKEN_CHARS} characters`) : null;
}

/** Why a webhook cannot be signed with it: an ed25519 key of Standard Webhooks, the seed of 32 bytes or seed and public key. */
export function ed25519KeyComplaint(secret: Secret): Complaint | null {
  const match = /^whsk_([A-Za-z0-9+/]+={0,2})$/.exec(secret.reveal());
  const size = match === null ? 0 : Buffer.from(match[1] ?? '', 'base64').length;
  return size === 32 || size === 64 ? null : new Complaint('this is no ed25519 signing key', '`whsk_` and 32 or 64 bytes in base64');
}

/** Why it cannot be bearer tokens, one a line. */
export function tokensComplaint(secret: Secret): Complaint | null {
  const tokens = tokensOf(secret);
  // Nobody could send then.
  if (tokens.length === 0) return new Complaint('this secret is empty');
  if (tokens.length > MAX_TOKENS) return new Complaint(`more than ${MAX_TOKENS} tokens`, 'the token, and for a while the one before');
  return tokens.map(tokenComplaint).find((complaint) => complaint !== null) ?? null;
}

/** The lines of it that are not empty. */
export function tokensOf(secret: Secret): readonly Secret[] {
  return secret
    .reveal()
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => new Secret(line));
}

/** Why it cannot be an incoming webhook. */
export function slackUrlComplaint(secret: Secret): Complaint | null {
  const url = URL.parse(secret.reveal());
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    ? null
    : new Complaint('this is no address of an incoming webhook', 'an http or https address');
}

/** Why it cannot be a key: it has characters that were hardly meant. */
export function visibleTextComplaint(secret: Secret): Complaint | null {
  return /^[\x21-\x7e]+$/.test(secret.reveal()) ? null : new Complaint('this key has spaces or characters that no key has');
}
