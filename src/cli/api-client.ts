/** Asks a running Slipstream, and says in one sentence why there is no answer. */
import { type Command, InvalidArgumentError } from 'commander';
import { problem } from '../api/schemas.ts';
import { PermanentError, RetryableError } from '../model/errors.ts';
import { withCaOption } from './ask-tls.ts';
import type { CliContext } from './context.ts';

/** Where a Slipstream is asked when nobody says where. */
export const DEFAULT_API_URL = 'http://127.0.0.1:8080';

const TIMEOUT_MS = 10_000;

/** `--url` and `--ca`, for every command that asks. What the environment says is looked at when it is used: other commands do not need it. */
export function withUrlOption(command: Command, context: CliContext): Command {
  return withCaOption(command.option('--url <url>', 'address of its API (or SLIPSTREAM_URL)', httpUrl, usualUrl(context)), context);
}

/** Where a Slipstream is asked when no option says where. */
export function usualUrl({ env }: Pick<CliContext, 'env'>): string {
  return withoutEnd(env.SLIPSTREAM_URL || DEFAULT_API_URL);
}

export function httpUrl(text: string): string {
  if (!isHttpUrl(text)) throw new InvalidArgumentError('It must start with http:// or https://.');
  return withoutEnd(text);
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function withoutEnd(url: string): string {
  return url.replace(/\/+$/, '');
}

/** What the answer must look like. */
interface Schema<Answer> {
  safeParse(body: unknown): { readonly success: true; readonly data: Answer } | { readonly success: false };
}

interface Question<Answer> {
  readonly url: string;
  /** With query, beginning with a slash. */
  readonly path: string;
  /** For messages: `its status`. */
  readonly subject: string;
  readonly schema: Schema<Answer>;
  /** What is to be changed; absent: nothing, it is only asked. */
  readonly change?: Change;
  /** How much longer than usual the answer may take, because it was asked to wait. */
  readonly waitMs?: number;
}

/** A request that changes something. */
export interface Change {
  readonly method: 'POST' | 'DELETE';
  readonly body?: object;
  /** Of `api.token`; null: none. */
  readonly token: string | null;
}

/** Throws with a message for people. */
export async function answerTo<Answer>({ url, path, subject, schema, change, waitMs = 0 }: Question<Answer>): Promise<Answer> {
  const asking = `asking ${url} for ${subject}`;
  if (!isHttpUrl(url))
    throw new PermanentError('invalid_url', `${asking}: the address (SLIPSTREAM_URL) must start with http:// or https://`);
  const request = {
    redirect: 'manual',
    signal: AbortSignal.timeout(Math.ceil(TIMEOUT_MS + waitMs)),
    ...(change && requestOf(change)),
  } as const;
  const answer = await fetch(`${url}${path}`, request).catch((cause: unknown) => {
    throw new RetryableError('unreachable', `${asking}: ${reachText(cause, TIMEOUT_MS + waitMs)}; is \`slipstream serve\` running there?`);
  });
  const body: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) {
    const said = problem.safeParse(body);
    const message = `${asking}: ${answer.status} ${said.success ? said.data.detail : answer.statusText}`;
    if (answer.status >= 500 || answer.status === 429) throw new RetryableError('unavailable', message);
    throw new PermanentError(answer.status === 404 ? 'not_found' : 'refused', message);
  }
  const read = schema.safeParse(body);
  if (!read.success) throw new PermanentError('not_slipstream', `${asking}: the answer is not that of a Slipstream of this version`);
  return read.data;
}

function requestOf({ method, body, token }: Change) {
  const headers: Record<string, string> = {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  return { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
}

const CODE_TEXT: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection closed before the answer'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'no such host'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate is of no authority that is trusted here (--ca names another)'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is of no authority that is trusted here (--ca names another)'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is of no authority that is trusted here (--ca names another)'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS: http:// instead of https://'],
]);

/** Why `fetch` brought no answer. */
export function reachText(cause: unknown, timeoutMs: number): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === 'TimeoutError') return `no answer within ${Math.round(timeoutMs / 1000)} s`;
  // fetch says "fetch failed"; its cause says why.
  const code = cause.cause instanceof Error && 'code' in cause.cause ? String(cause.cause.code) : null;
  if (code === null) return cause.message;
  return CODE_TEXT.get(code) ?? code;
}
