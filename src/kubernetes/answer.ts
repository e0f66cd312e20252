/** Judges what an API server answered: by the table of statuses, with a text that people may see. */
import { RetryableError } from '../model/errors.ts';
import { visible } from '../model/safe-text.ts';
import type { DurationMs } from '../model/time.ts';
import { KubernetesRefusal } from './kubernetes-api.ts';

const MAX_MESSAGE_CHARS = 512;
const MAX_WAIT_SEC = 60;

/** What an API server says about a failure (meta/v1 Status). */
export interface StatusObject {
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
}

export interface FailedAnswer {
  /** Begins the message: `PATCH /apis/apps/v1/…`. */
  readonly act: string;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
  /** Taken out of what is shown. */
  readonly token: string | null;
}

/** The error that an answer outside 2xx means: 408, 425, 429 and 5xx pass, the rest is a refusal. */
export function failureOf({ act, status, retryAfter, text, token }: FailedAnswer): RetryableError | KubernetesRefusal {
  const { reason, message } = statusObject(text);
  const shown = safe(message ?? reason ?? '', token);
  const told = `${act}: ${status}${shown === '' ? '' : ` ${shown}`}`;
  if (status !== 408 && status !== 425 && status !== 429 && status < 500)
    return new KubernetesRefusal(status, safe(reason ?? '', token), told);
  const askedMs = waitMs(retryAfter);
  return new RetryableError('status', told, askedMs === null ? {} : { retryAfterMs: askedMs });
}

/** API servers ask for whole seconds; anything else counts as nothing, and more than a minute as a minute. */
function waitMs(retryAfter: string | null): DurationMs | null {
  const text = retryAfter?.trim() ?? '';
  return /^\d{1,9}$/.test(text) ? Math.min(Math.max(Number(text), 1), MAX_WAIT_SEC) * 1_000 : null;
}

/** The error that broke a connection. Addresses and codes may be seen; what undici says beyond that may not be ours to show. */
export function networkFailure(act: string, cause: unknown): RetryableError {
  const inner = cause instanceof Error && cause.cause instanceof Error && !('code' in cause) ? cause.cause : cause;
  const code = inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : 'network failure';
  return new RetryableError('network', `${act}: ${code}`, { cause });
}

function statusObject(text: string): StatusObject {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return {};
    const { reason, message } = parsed as Record<string, unknown>;
    return { ...(typeof reason === 'string' && { reason }), ...(typeof message === 'string' && { message }) };
  } catch {
    return {};
  }
}

function safe(text: string, token: string | null): string {
  return visible(token === null ? text : text.replaceAll(token, '[redacted]')).slice(0, MAX_MESSAGE_CHARS);
}
