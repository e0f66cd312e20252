/** The HTTP API: guards in front, one responder per route of the table, problems for everything else. */
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import type { ApiConfig } from '../config/config.ts';
import { PermanentError, RetryableError } from '../model/errors.ts';
import type { EpochMs } from '../model/time.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type ServedCertificate, servedCertificate } from '../tls/served-certificate.ts';
import { hostRefusal, routeRefusal } from './access.ts';
import type { Front } from './front.ts';
import type { ApiHandlers } from './handlers.ts';
import { problemResponse } from './problem.ts';
import { responders } from './responders.ts';
import type { Route } from './route.ts';
import { ROUTES, type RouteId } from './routes.ts';
import { unavailable } from './unavailable.ts';

export interface Api {
  /** Answers without a server. */
  fetch(request: Request): Promise<Response>;
  /** Listens; `address` is a URL. Throws a PermanentError when the port is not to be had, or a file of TLS is wrong. */
  start(): Promise<{ readonly address: string; readonly port: number }>;
  /** Takes no new connections, lets requests in flight end for a short while, then cuts them. A second call does nothing. */
  stop(): Promise<void>;
}

const MAX_CONNECTIONS = 256;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const LIMITS = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1000 };
const STOP_GRACE_MS = 2000;
/** When to ask again for what failed in passing. */
const RETRY_MS = 1000;

/** `now` is the wall clock that resolves deadlines given as durations. `front` is asked before any answer is given; null: there is none. */
export function createApi(
  handlers: ApiHandlers,
  config: ApiConfig,
  telemetry: Telemetry,
  now: () => EpochMs = Date.now,
  front: Front | null = null,
): Api {
  const app = application({ handlers, config, telemetry, now, front });
  const answering = {
    fetch: app.fetch,
    // The library would otherwise replace the global Request and Response of the whole process.
    overrideGlobalObjects: false,
  };
  let server: Server | SecureServer | null = null;
  let served: ServedCertificate | null = null;
  let stopping: Promise<void> | null = null;

  return {
    fetch: async (request) => app.fetch(request),
    async start() {
      const files = config.tls ?? null;
      const certificate = files && servedCertificate({ files, listener: 'api', asksClients: false, telemetry, now });
      const made = createAdaptorServer(
        certificate === null
          ? { ...answering, createServer, serverOptions: LIMITS }
          : { ...answering, createServer: createSecureServer, serverOptions: { ...LIMITS, ...certificate.options } },
      ) as Server | SecureServer;
      made.maxConnections = MAX_CONNECTIONS;
      server = made;
      served = certificate;
      await new Promise<void>((resolve, reject) => {
        made.once('error', (cause) => reject(new PermanentError('listen', `listening on ${config.host}:${config.port}`, { cause })));
        made.listen({ host: config.host.replace(/^\[|\]$/g, ''), port: config.port }, resolve);
      });
      if (made instanceof SecureServer) certificate?.serve(made);
      const { address, port, family } = made.address() as AddressInfo;
      return { address: `${files === null ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`, port };
    },
    stop() {
      stopping ??= server === null ? Promise.resolve() : closed(server);
      // The port is closed by now.
      served?.stop();
      return stopping;
    },
  };
}

interface ApplicationParts {
  readonly handlers: ApiHandlers;
  readonly config: ApiConfig;
  readonly telemetry: Telemetry;
  readonly front: Front | null;
  now(): EpochMs;
}

function application({ handlers, config, telemetry, now, front }: ApplicationParts): Hono {
  const app = new Hono();
  const respond = responders(handlers, config, now);

  app.use(async (context, next) => {
    const refused = hostRefusal((name) => context.req.header(name), config);
    if (refused === null) await next();
    else context.res = problemResponse(refused);
    context.header('x-content-type-options', 'nosniff');
    context.header('cache-control', 'no-store');
    context.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  });

  const methodsByPath = new Map<string, string[]>();
  for (const [id, route] of Object.entries(ROUTES) as [RouteId, Route][]) {
    const path = route.path.replace(/\{(\w+)\}/g, ':$1');
    app.on(route.method, path, (context) => {
      const access = { ...route, hasBody: route.body !== undefined };
      const refused = routeRefusal((name) => context.req.header(name), access, config);
      if (refused !== null) return problemResponse(refused);
      if (front === null) return respond[id](context);
      const here = async (request: Request): Promise<Response> => {
        context.req.raw = request;
        return respond[id](context);
      };
      return front({ route: id, request: context.req.raw, params: context.req.param() }, here);
    });
    methodsByPath.set(path, [...(methodsByPath.get(path) ?? []), route.method]);
  }
  for (const [path, methods] of methodsByPath) {
    const allow = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
    app.all(path, () => {
      const detail = `this address takes ${allow.join(', ')}`;
      return problemResponse({ status: 405, title: 'Method not allowed', detail, headers: { allow: allow.join(', ') } });
    });
  }

  app.notFound(() => problemResponse({ status: 404, title: 'Not found', detail: 'no such address; / lists what there is' }));
  app.onError((error, context) => {
    // Something outside is away for now, which is no defect.
    if (error instanceof RetryableError) {
      return unavailable({ outcome: 'unavailable', detail: error.message, retryAfterMs: error.retryAfterMs ?? RETRY_MS });
    }
    telemetry.log.error({ error, method: context.req.method, path: context.req.path }, 'answering an API request');
    return problemResponse({ status: 500, title: 'Internal error', detail: 'the request could not be answered; the log has the cause' });
  });
  return app;
}

async function closed(server: Server | SecureServer): Promise<void> {
  if (!server.listening) return;
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await ended;
  clearTimeout(timer);
}
