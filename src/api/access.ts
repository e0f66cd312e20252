/** Who may ask: token for changes, host names against DNS rebinding, and no changes from other sites' pages. */
import type { ApiConfig } from '../config/config.ts';
import { bearerOf, KnownTokens } from '../tls/bearer-token.ts';
import type { Problem } from './problem.ts';

export type Header = (name: string) => string | undefined;

/** What a route asks of those who come. */
export interface RouteAccess {
  /** Something is changed: the token is needed. */
  readonly mutates?: boolean;
  /** The token is not in a header but where the caller can put it; the responder asks for it itself with `isToken`. */
  readonly tokenInBody?: boolean;
  /** It carries a body. */
  readonly hasBody: boolean;
  /** Type of the body; application/json when absent. */
  readonly bodyType?: string;
}

/** True for addresses only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** A page whose name resolves to 127.0.0.1 would otherwise read and change everything through the browser of whoever opens it. */
export function hostRefusal(header: Header, config: Pick<ApiConfig, 'host'>): Problem | null {
  if (!isLoopback(config.host) || isLoopback(hostName(header('host') ?? ''))) return null;
  return {
    status: 421,
    title: 'Misdirected request',
    detail: 'host: this API is bound to loopback and answers to localhost, 127.0.0.1 and [::1] only',
  };
}

/** Checks made before anything is read of the body. Null when the request may go on. */
export function routeRefusal(header: Header, access: RouteAccess, config: Pick<ApiConfig, 'host' | 'token'>): Problem | null {
  const { mutates = false, tokenInBody = false, hasBody, bodyType = 'application/json' } = access;
  if (mutates || tokenInBody) {
    const site = header('sec-fetch-site');
    if (site !== undefined && site !== 'same-origin' && site !== 'none') {
      return { status: 403, title: 'Forbidden', detail: 'changes from pages of other sites are refused' };
    }
  }
  if (mutates && !tokenInBody) {
    const unauthorized = tokenRefusal(header('authorization'), config);
    if (unauthorized !== null) return unauthorized;
  }
  // A form of another site cannot send JSON without the browser asking first, and that question is never answered with yes.
  if (hasBody && mediaType(header('content-type') ?? '') !== bodyType) {
    return { status: 415, title: 'Unsupported media type', detail: `content-type: must be ${bodyType}`, headers: { accept: bodyType } };
  }
  return null;
}

/** For callers that cannot set headers: true when `given` is the token, or none is asked for. */
export function isToken(given: string | undefined, config: Pick<ApiConfig, 'host' | 'token'>): boolean {
  if (config.token === null) return isLoopback(config.host);
  return new KnownTokens([config.token]).has(given);
}

function tokenRefusal(authorization: string | undefined, config: Pick<ApiConfig, 'host' | 'token'>): Problem | null {
  if (isToken(bearerOf(authorization), config)) return null;
  if (config.token === null) {
    return {
      status: 403,
      title: 'Forbidden',
      detail: 'changes need a token when the API is reachable from other machines: configure api.token',
    };
  }
  return {
    status: 401,
    title: 'Unauthorized',
    detail: 'authorization: a valid bearer token is needed for changes',
    headers: { 'www-authenticate': 'Bearer realm="slipstream"' },
  };
}

/** `Host` without its port. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, '');
}

function mediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}
