/** The token of deploy systems: in a header where they can set one, in the address of others (basic), in what they send for the rest. */
import type { Context } from 'hono';
import type { ApiConfig } from '../config/config.ts';
import { bearerOf } from '../tls/bearer-token.ts';
import { isToken } from './access.ts';
import { problemResponse } from './problem.ts';

/**
 * Null when the caller may change something. `inBody` is the token that the body carries, undefined when it has none; `where` says in which field it may be,
 * null when the body has no place for it. Of basic credentials the password is the token: clients make them of `http://any:token@host`.
 */
export function tokenRefusal(context: Context, config: ApiConfig, inBody: string | undefined, where: string | null): Response | null {
  if (isToken(headerToken(context.req.header('authorization')) ?? inBody, config)) return null;
  if (config.token === null) {
    const detail = 'changes need a token when the API is reachable from other machines: configure api.token';
    return problemResponse({ status: 403, title: 'Forbidden', detail });
  }
  const detail = `a valid token is needed for changes: as bearer token, as password of basic credentials${where === null ? '' : `, or in ${where}`}`;
  return problemResponse({
    status: 401,
    title: 'Unauthorized',
    detail,
    headers: { 'www-authenticate': 'Bearer realm="slipstream", Basic realm="slipstream"' },
    ...(where !== null && { errors: [{ pointer: where, detail: 'is not the token' }] }),
  });
}

function headerToken(authorization: string | undefined): string | undefined {
  const bearer = bearerOf(authorization);
  if (bearer !== undefined) return bearer;
  const basic = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return undefined;
  const credentials = Buffer.from(basic, 'base64').toString('utf8');
  return credentials.slice(credentials.indexOf(':') + 1);
}
