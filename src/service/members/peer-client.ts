/** Asks other members: one hop only, in bounded time, as whoever asked us. */
import type { DurationMs } from '../../model/time.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Fetch } from '../../tls/client-tls.ts';

/** A request that carries it is answered by the cells of this member alone. */
export const HOP_HEADER = 'slipstream-hop';
/** The partitions that the answer to such a request is about, as `0,3,7`. */
export const PARTITIONS_HEADER = 'slipstream-partitions';

/** All that a responder may look at; `sec-fetch-site` was looked at where the request came in, and a hop carries no cookies of anybody. */
const PASSED_ON = ['authorization', 'content-type', 'accept'];

export interface PeerRequest {
  readonly request: Request;
  /** Of the request, already read; null: it has none. */
  readonly body: string | null;
  readonly limitMs: DurationMs;
  /** Ends it before its time, as does the end of the request itself. */
  readonly abort?: AbortSignal;
}

export interface PeerClient {
  /** The answer of the member whose API is at `url`, whichever it is; null when there was none in time. Never throws. */
  ask(url: string, asked: PeerRequest): Promise<Response | null>;
}

/** `fetched`: where members speak TLS, one that trusts their authority. */
export function peerClient(telemetry: Telemetry, fetched: Fetch = fetch): PeerClient {
  return {
    async ask(url, { request, body, limitMs, abort }) {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers({ [HOP_HEADER]: '1' });
      for (const name of PASSED_ON) {
        const value = request.headers.get(name);
        if (value !== null) headers.set(name, value);
      }
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limitMs), ...(abort === undefined ? [] : [abort])]);
      try {
        // The answer is read here even if the caller wants its head alone.
        const method = request.method === 'HEAD' ? 'GET' : request.method;
        // What a redirect names is no member.
        const answer = await fetched(addressOf(url, pathname, search), { method, headers, body, signal, redirect: 'error' });
        telemetry.add('peer_requests_total', 1, { result: 'answered' });
        return answer;
      } catch (error) {
        // Whoever asked has gone, or has its answer from another.
        if (request.signal.aborted || abort?.aborted === true) return null;
        telemetry.add('peer_requests_total', 1, { result: 'silent' });
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
        telemetry.log.warn({ peer: url, path: pathname, error: String(error), cause }, 'a member did not answer another');
        return null;
      }
    },
  };
}

/** The address may have a path of its own, where a proxy stands before the member. */
function addressOf(url: string, pathname: string, search: string): string {
  return `${url.replace(/\/+$/, '')}${pathname}${search}`;
}
