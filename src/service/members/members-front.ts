/** Brings each request to the member that can answer it, and puts together what all of them must answer. */
import type { Asked, Front } from '../../api/front.ts';
import type { ApiHandlers } from '../../api/handlers.ts';
import { problemResponse } from '../../api/problem.ts';
import { knownSeries } from '../../api/prometheus/known-series.ts';
import { boundedText } from '../../api/request-body.ts';
import { ROUTES } from '../../api/routes.ts';
import { waitMs } from '../../api/wait-query.ts';
import type { DurationMs, EpochMs } from '../../model/time.ts';
import { dropped, jsonOf, partitionsOf, passedOn } from './answers.ts';
import { away, notWhole } from './away.ts';
import type { Directory } from './directory.ts';
import type { Merge } from './merge-answers.ts';
import { HOP_HEADER, PARTITIONS_HEADER, type PeerClient } from './peer-client.ts';
import { type Given, REACH } from './reach.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const LIMIT_MS: DurationMs = 10_000;
/** Beyond what the caller lets the answer wait. */
const AFTER_WAIT_MS: DurationMs = 5_000;

export interface FrontParts {
  /** Partitions whose cells are ready here. */
  owned(): ReadonlySet<number>;
  /** The address under which this member claims its partitions; looked at for each request. */
  readonly url: string;
  readonly directory: Pick<Directory, 'partitions' | 'partitionOf' | 'ownerOf' | 'peers'>;
  readonly peers: PeerClient;
  /** Of the cells here. */
  readonly handlers: Pick<ApiHandlers, 'run' | 'metricSource'>;
  /** The wall clock. */
  now(): EpochMs;
}

/** One request on its way; its body is read, so that it can be asked of several. */
interface Way {
  readonly asked: Asked;
  readonly body: string | null;
  readonly limitMs: DurationMs;
  here(): Promise<Response>;
}

interface OpenAsk {
  readonly peer: string;
  readonly abort: AbortController;
  readonly answer: Promise<Response | null>;
}

/** For `createApi`, which asks it before its responders. What cannot be answered whole is not answered: 503, and when to ask again. */
export function membersFront(parts: FrontParts): Front {
  const { owned, directory, peers, handlers, now } = parts;

  const toService = async (way: Way, service: string): Promise<Response> => {
    const partition = directory.partitionOf(service);
    if (owned().has(partition)) {
      const answer = await way.here();
      return owned().has(partition) ? answer : away(way.asked, `the partition of ${service} moves to another member`);
    }
    const owner = directory.ownerOf(partition);
    if (owner === null || owner.url === parts.url) return away(way.asked, `no member has the partition of ${service} yet`);
    const answer = await ask(way, owner.url);
    if (answer !== null && partitionsOf(answer).has(partition)) return passedOn(answer);
    await dropped(answer);
    return away(way.asked, `the member that has the partition of ${service} does not answer for it`);
  };

  const toWhoever = async (way: Way): Promise<Response> => {
    const heard = new Set(owned());
    const own = await way.here();
    if (own.status !== 404) return own;
    const asks = directory.peers(parts.url).map((peer) => askBriefly(way, peer));
    const found = await firstOf(asks, (answer) => answer.status !== 404 && answer.status < 500);
    if (found !== null) {
      for (const other of asks) if (other !== found.ask) other.abort.abort();
      if (way.limitMs <= LIMIT_MS || !found.answer.ok) return passedOn(found.answer);
      await dropped(found.answer);
      const waited = await ask(way, found.ask.peer);
      return waited === null ? away(way.asked, 'the member that has it does not answer') : passedOn(waited);
    }
    for (const answer of await Promise.all(asks.map((one) => one.answer))) {
      if (answer?.status === 404) for (const partition of partitionsOf(answer)) heard.add(partition);
      await dropped(answer);
    }
    return isWhole(heard) ? own : away(way.asked, `it is not known here, and ${missing(heard)}`);
  };

  const toRun = async (way: Way, runId: string, service: string): Promise<Response> => {
    const known = (await handlers.run(runId))?.rollout.service ?? (await runElsewhere(way, runId));
    return toService(way, known ?? service);
  };

  /** The service of a run that another member has. */
  const runElsewhere = async ({ asked }: Way, runId: string): Promise<string | null> => {
    const { signal, url } = asked.request;
    const request = new Request(new URL(`/v1/rollouts/${encodeURIComponent(runId)}`, url), { signal });
    const asks = directory.peers(parts.url).map((peer) => {
      const abort = new AbortController();
      return { peer, abort, answer: peers.ask(peer, { request, body: null, limitMs: LIMIT_MS, abort: abort.signal }) };
    });
    const found = await firstOf(asks, (answer) => answer.ok);
    const run = found === null ? null : ((await jsonOf(found.answer)) as { rollout?: { service?: unknown } } | null);
    const service = run?.rollout?.service;
    return typeof service === 'string' ? service : null;
  };

  const toAll = async (way: Way, merge: Merge): Promise<Response> => {
    const before = new Set(owned());
    const asks = directory.peers(parts.url).map((peer) => ask(way, peer));
    const own = await way.here();
    if (!own.ok) return own;
    const bodies: unknown[] = [await own.json()];
    const heard = new Set([...before].filter((partition) => owned().has(partition)));
    for (const answer of await Promise.all(asks)) {
      const body = answer?.ok === true ? await jsonOf(answer) : null;
      if (answer === null || body === null) await dropped(answer);
      else {
        bodies.push(body);
        for (const partition of partitionsOf(answer)) heard.add(partition);
      }
    }
    if (!isWhole(heard)) return away(way.asked, `${missing(heard)}; what is asked of one service may be answered`);
    return Response.json(merge(bodies, new URL(way.asked.request.url).searchParams));
  };

  /** A name may stand for services of several namespaces, and so of several members. */
  const toMatching = async (way: Way, match: string): Promise<Response> => {
    if (isWhole(owned())) return way.here();
    const heard = new Set(owned());
    const { signal, url } = way.asked.request;
    const request = new Request(new URL(`/api/v1/series?${new URLSearchParams({ 'match[]': match })}`, url), { signal });
    const asks = directory.peers(parts.url).map(async (peer) => {
      const answer = await peers.ask(peer, { request, body: null, limitMs: LIMIT_MS });
      const said = answer?.ok === true ? ((await jsonOf(answer)) as { data?: readonly unknown[] } | null) : null;
      if (answer !== null && said !== null) for (const partition of partitionsOf(answer)) heard.add(partition);
      return { peer, has: (said?.data?.length ?? 0) > 0 };
    });
    const having = (await Promise.all(asks)).filter(({ has }) => has).map(({ peer }) => peer);
    if (!isWhole(heard)) return away(way.asked, missing(heard));
    const [peer, ...others] = having;
    if (peer === undefined) return way.here();
    if (others.length > 0 || (await knownSeries([match], handlers.metricSource, now())).length > 0) return notWhole();
    const answer = await ask(way, peer);
    return answer === null ? away(way.asked, 'the member that has the service does not answer') : passedOn(answer);
  };

  const toEach = async (way: Way): Promise<Response> => {
    const heard = new Set(owned());
    const own = await way.here();
    if (own.status >= 400 && own.status < 500 && own.status !== 404) return own;
    const others = await Promise.all(directory.peers(parts.url).map((peer) => ask(way, peer)));
    const passed = others.filter((answer) => answer !== null);
    for (const answer of passed) if (answer.ok || answer.status === 404) for (const partition of partitionsOf(answer)) heard.add(partition);
    const answers = [own, ...passed.map(passedOn)];
    const refusal = answers.find(({ status }) => status >= 400 && status !== 404);
    if (refusal !== undefined) return refusal;
    if (!isWhole(heard)) return away(way.asked, `it is done where members answered; ${missing(heard)}; send the same again`);
    return answers.find(({ ok }) => ok) ?? own;
  };

  const ask = (way: Way, peer: string): Promise<Response | null> =>
    peers.ask(peer, { request: way.asked.request, body: way.body, limitMs: way.limitMs });
  /** Without the wait that the caller asked for. */
  const askBriefly = (way: Way, peer: string): OpenAsk => {
    const abort = new AbortController();
    const request = withoutWait(way.asked.request);
    return { peer, abort, answer: peers.ask(peer, { request, body: way.body, limitMs: LIMIT_MS, abort: abort.signal }) };
  };
  const isWhole = (heard: ReadonlySet<number>): boolean => heard.size === directory.partitions;
  const missing = (heard: ReadonlySet<number>): string => {
    const unheard = Array.from({ length: directory.partitions }, (_, partition) => partition).filter((partition) => !heard.has(partition));
    return `nobody answers for ${unheard.length} of ${directory.partitions} partitions (${unheard.slice(0, 20).join(', ')})`;
  };

  return async (asked, here) => {
    const { request, route, params } = asked;
    if (request.headers.has(HOP_HEADER)) {
      const before = new Set(owned());
      return aboutPartitions(
        await here(request),
        [...before].filter((partition) => owned().has(partition)),
      );
    }
    const hasBody = 'body' in ROUTES[route];
    const body = hasBody ? await boundedText(request, MAX_BODY_BYTES) : null;
    if (hasBody && body === null) {
      return problemResponse({ status: 413, title: 'Content too large', detail: `the body is larger than ${MAX_BODY_BYTES} bytes` });
    }
    const given = givenBy(request, params, body);
    const way: Way = { asked, body, limitMs: limitOf(given), here: () => here(body === null ? request : remade(request, body)) };
    const reach = REACH[route](given);
    switch (reach.kind) {
      case 'here':
        return way.here();
      case 'service':
        return toService(way, reach.service);
      case 'whoever':
        return toWhoever(way);
      case 'run':
        return toRun(way, reach.runId, reach.service);
      case 'all':
        return toAll(way, reach.merge);
      case 'each':
        return toEach(way);
      case 'matching':
        return toMatching(way, reach.match);
      case 'whole':
        return isWhole(owned()) ? way.here() : notWhole();
      default:
        return reach satisfies never;
    }
  };
}

/** Of the partitions that were there from its beginning to its end. */
function aboutPartitions(answer: Response, partitions: readonly number[]): Response {
  const headers = new Headers(answer.headers);
  headers.set(PARTITIONS_HEADER, partitions.join(','));
  return new Response(answer.body, { status: answer.status, headers });
}

function givenBy(request: Request, params: Asked['params'], body: string | null): Given {
  const isForm = (request.headers.get('content-type') ?? '').startsWith('application/x-www-form-urlencoded');
  const parsed = (): unknown => {
    try {
      return JSON.parse(body ?? '');
    } catch {
      return undefined;
    }
  };
  const query = new URL(request.url).searchParams;
  return { params, query, body: isForm ? undefined : parsed(), form: new URLSearchParams(isForm ? (body ?? '') : '') };
}

/** A caller that waits for a verdict holds the way for so long. */
function limitOf({ query, body }: Given): DurationMs {
  const inBody = typeof body === 'object' && body !== null && 'wait' in body && typeof body.wait === 'string' ? body.wait : undefined;
  const waits = Math.min(60_000, waitMs(query.get('wait') ?? inBody));
  return waits > 0 ? Math.max(LIMIT_MS, waits) + AFTER_WAIT_MS : LIMIT_MS;
}

function withoutWait(request: Request): Request {
  const url = new URL(request.url);
  if (!url.searchParams.has('wait')) return request;
  url.searchParams.delete('wait');
  return new Request(url, { method: request.method, headers: request.headers, signal: request.signal });
}

function remade({ url, method, headers, signal }: Request, body: string): Request {
  return new Request(url, { method, headers, body, signal });
}

/** The first that is meant, as soon as it is there; null when none is. */
async function firstOf(
  asks: readonly OpenAsk[],
  isMeant: (answer: Response) => boolean,
): Promise<{ readonly ask: OpenAsk; readonly answer: Response } | null> {
  const found = Promise.withResolvers<{ ask: OpenAsk; answer: Response } | null>();
  const looks = asks.map(async (ask) => {
    const answer = await ask.answer;
    if (answer !== null && isMeant(answer)) found.resolve({ ask, answer });
  });
  void Promise.all(looks).then(() => found.resolve(null));
  return found.promise;
}
