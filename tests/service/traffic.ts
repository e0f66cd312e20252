/** Requests of a small shop as OTLP/JSON: a baseline and a canary release, second by second, the same for the same times. */
import { setTimeout as pause } from 'node:timers/promises';
import { BASELINE, CANARY, SERVICE } from './config.ts';
import type { Running } from './running.ts';

export interface Stream {
  readonly release: string;
  readonly perSecond: number;
  /** Every so many-th request fails; 0: none. */
  readonly failEvery: number;
}

export interface Sent {
  readonly spans: number;
  readonly failed: number;
}

/** One request body with what happened in [fromMs, toMs), and how much that was. */
export function exportRequest(fromMs: number, toMs: number, streams: readonly Stream[]): Sent & { readonly body: object } {
  let spans = 0;
  let failed = 0;
  const resourceSpans = streams.map(({ release, perSecond, failEvery }) => {
    const stepMs = 1000 / perSecond;
    const list: object[] = [];
    for (let n = Math.ceil(fromMs / stepMs); n * stepMs < toMs; n++) {
      const endMs = n * stepMs;
      const isFailed = failEvery > 0 && n % failEvery === 0;
      spans++;
      if (isFailed) failed++;
      list.push(serverSpan(n, endMs, 20 + (n % 17), isFailed));
    }
    return {
      resource: { attributes: [attribute('service.name', SERVICE), attribute('service.version', release)] },
      scopeSpans: [{ spans: list }],
    };
  });
  return { body: { resourceSpans }, spans, failed };
}

function serverSpan(n: number, endMs: number, durationMs: number, isFailed: boolean): object {
  return {
    traceId: (n + 1).toString(16).padStart(32, '0'),
    spanId: (n + 1).toString(16).padStart(16, '0'),
    name: 'GET /cart',
    kind: 2,
    startTimeUnixNano: nanoseconds(endMs - durationMs),
    endTimeUnixNano: nanoseconds(endMs),
    attributes: [
      attribute('http.request.method', 'GET'),
      attribute('http.route', '/cart'),
      { key: 'http.response.status_code', value: { intValue: isFailed ? '500' : '200' } },
    ],
    status: isFailed ? { code: 2 } : {},
  };
}

function attribute(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

export const HEALTHY: readonly Stream[] = [
  { release: BASELINE, perSecond: 100, failEvery: 0 },
  { release: CANARY, perSecond: 100, failEvery: 0 },
];
/** Three of ten requests of the canary fail. */
export const SICK: readonly Stream[] = [
  { release: BASELINE, perSecond: 100, failEvery: 0 },
  { release: CANARY, perSecond: 70, failEvery: 0 },
  { release: CANARY, perSecond: 30, failEvery: 1 },
];

export async function post(running: Running, body: object): Promise<Response> {
  return fetch(running.http, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

/** Sends [fromMs, toMs) one second a request, in order; all must be accepted. */
export async function send(running: Running, fromMs: number, toMs: number, streams: readonly Stream[]): Promise<Sent> {
  let spans = 0;
  let failed = 0;
  for (let at = fromMs; at < toMs; at += 1000) {
    const request = exportRequest(at, Math.min(at + 1000, toMs), streams);
    const response = await post(running, request.body);
    const text = await response.text();
    if (response.status !== 200 || text !== '{}') throw new Error(`spans were not accepted: ${response.status} ${text}`);
    spans += request.spans;
    failed += request.failed;
  }
  return { spans, failed };
}

/** Sends what happens, as it happens, until `isOver`; all must be accepted. */
export async function sendLive(running: Running, streams: readonly Stream[], isOver: () => boolean): Promise<void> {
  let from = Math.floor(Date.now() / 100) * 100;
  while (!isOver()) {
    const to = Math.floor(Date.now() / 100) * 100;
    if (to > from) await send(running, from, to, streams);
    from = Math.max(from, to);
    await pause(100);
  }
}

/** The whole second that began last. */
export function thisSecond(): number {
  return Math.floor(Date.now() / 1000) * 1000;
}
