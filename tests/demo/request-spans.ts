/** The spans that a request leaves behind in the services it passes, as their instrumentation would write them. */
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import type { Pod } from './pod.ts';
import { logNormal } from './random.ts';
import type { PlannedRequest } from './traffic.ts';

/** The pods of one release's corner of the shop; a request picks one at random. */
export interface Cell {
  readonly frontend: readonly Pod[];
  readonly checkout: readonly Pod[];
  readonly payment: readonly Pod[];
  readonly catalog: readonly Pod[];
}

/** Writes all spans of one request and returns how many. Times are given, so nothing has to wait. */
export function writeRequestSpans(cell: Cell, request: PlannedRequest, random: () => number): number {
  const key = `${request.route.method} ${request.route.path}`;
  if (request.route.service === 'frontend') return frontendSpans(pick(cell.frontend, random), request, key);
  return key === 'POST /checkout' ? checkoutSpans(cell, request, random) : orderSpans(pick(cell.checkout, random), request, random);
}

/** The frontend still speaks the HTTP attribute names from before 2023. */
function frontendSpans(pod: Pod, request: PlannedRequest, name: string): number {
  const { route, startMs, endMs, failed, item } = request;
  const server = pod.tracer.startSpan(
    name,
    {
      kind: SpanKind.SERVER,
      startTime: startMs,
      attributes: {
        'http.method': route.method,
        'http.scheme': 'https',
        'http.target': route.path.replace('{id}', String(item)),
        'http.route': route.path,
        'http.status_code': failed ? 500 : 200,
        'net.host.name': 'shop.example',
        'http.user_agent': 'Mozilla/5.0',
      },
    },
    ROOT_CONTEXT,
  );
  const render = pod.tracer.startSpan('render page', { startTime: at(request, 0.3) }, trace.setSpan(ROOT_CONTEXT, server));
  render.end(at(request, 0.95));
  if (failed) fail(server, 'TemplateError', 'the page could not be rendered', endMs);
  server.end(endMs);
  return 2;
}

/** checkout → payment (gRPC) and, through a queue, → catalog. */
function checkoutSpans(cell: Cell, request: PlannedRequest, random: () => number): number {
  const pod = pick(cell.checkout, random);
  const server = checkoutServerSpan(pod, request, random);
  const inCheckout = trace.setSpan(ROOT_CONTEXT, server);
  const price = pod.tracer.startSpan(
    'price cart',
    { startTime: at(request, 0.05), attributes: { 'shop.cart.items': 1 + (request.item % 7) } },
    inCheckout,
  );
  price.end(at(request, 0.5));
  chargeSpans(pod, pick(cell.payment, random), request, inCheckout, random);
  let written = 4;
  if (request.failed) fail(server, 'PaymentTimeout', 'payment did not answer in time', request.endMs);
  else written += orderQueueSpans(pod, pick(cell.catalog, random), request, inCheckout, random);
  server.end(request.endMs);
  return written;
}

function chargeSpans(checkout: Pod, payment: Pod, request: PlannedRequest, parent: Context, random: () => number): void {
  const rpc = { 'rpc.system': 'grpc', 'rpc.service': 'shop.Payment', 'rpc.method': 'Charge', 'rpc.grpc.status_code': 0 };
  const client = checkout.tracer.startSpan(
    'shop.Payment/Charge',
    { kind: SpanKind.CLIENT, startTime: at(request, 0.5), attributes: { ...rpc, 'server.address': 'payment', 'server.port': 50051 } },
    parent,
  );
  const charge = payment.tracer.startSpan(
    'shop.Payment/Charge',
    { kind: SpanKind.SERVER, startTime: at(request, 0.55), attributes: rpc },
    trace.setSpanContext(ROOT_CONTEXT, { ...client.spanContext(), isRemote: true }),
  );
  charge.end(Math.min(at(request, 0.88), at(request, 0.55) + logNormal(random, 14, 0.35)));
  client.end(at(request, 0.9));
}

function orderQueueSpans(checkout: Pod, catalog: Pod, request: PlannedRequest, parent: Context, random: () => number): number {
  const messaging = { 'messaging.system': 'rabbitmq', 'messaging.destination.name': 'orders' };
  const send = checkout.tracer.startSpan(
    'send orders',
    {
      kind: SpanKind.PRODUCER,
      startTime: at(request, 0.92),
      attributes: { ...messaging, 'messaging.operation.type': 'send', 'messaging.operation.name': 'send' },
    },
    parent,
  );
  send.end(at(request, 0.94));
  const process = catalog.tracer.startSpan(
    'process orders',
    {
      kind: SpanKind.CONSUMER,
      startTime: at(request, 0.94),
      attributes: { ...messaging, 'messaging.operation.type': 'process', 'messaging.operation.name': 'process' },
    },
    trace.setSpanContext(ROOT_CONTEXT, { ...send.spanContext(), isRemote: true }),
  );
  process.end(Math.min(request.endMs, at(request, 0.94) + logNormal(random, 3, 0.4)));
  return 2;
}

function orderSpans(pod: Pod, request: PlannedRequest, random: () => number): number {
  const server = checkoutServerSpan(pod, request, random);
  const query = pod.tracer.startSpan(
    'SELECT orders',
    {
      kind: SpanKind.CLIENT,
      startTime: at(request, 0.2),
      attributes: { 'db.system.name': 'postgresql', 'db.operation.name': 'SELECT', 'db.collection.name': 'orders' },
    },
    trace.setSpan(ROOT_CONTEXT, server),
  );
  query.end(at(request, 0.8));
  if (request.failed) fail(server, 'OrderNotReadable', `order ${request.item} has no total`, request.endMs);
  server.end(request.endMs);
  return 2;
}

/** The gateway in front of checkout traces too: its span is the remote parent. */
function checkoutServerSpan(pod: Pod, request: PlannedRequest, random: () => number): Span {
  const gateway = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: hex(random, 4),
    spanId: hex(random, 2),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
  const { route, failed, item } = request;
  return pod.tracer.startSpan(
    `${route.method} ${route.path}`,
    {
      kind: SpanKind.SERVER,
      startTime: request.startMs,
      attributes: {
        'http.request.method': route.method,
        'url.scheme': 'https',
        'url.path': route.path.replace('{id}', String(item)),
        'http.route': route.path,
        'http.response.status_code': failed ? 500 : 200,
        'server.address': 'checkout',
        'network.protocol.version': '2',
        'user_agent.original': 'gateway/3.1',
      },
    },
    gateway,
  );
}

function fail(span: Span, type: string, message: string, endMs: number): void {
  span.setAttribute('error.type', type);
  span.recordException({ name: type, message }, endMs);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** A moment inside the request: 0 is its start, 1 its end. */
function at(request: PlannedRequest, part: number): number {
  return request.startMs + (request.endMs - request.startMs) * part;
}

function pick(pods: readonly Pod[], random: () => number): Pod {
  const pod = pods[Math.floor(random() * pods.length)];
  if (!pod) throw new Error('a request was routed to a service without pods');
  return pod;
}

/** `words` times 8 hexadecimal digits, never all zero. */
function hex(random: () => number, words: number): string {
  let digits = '';
  for (let i = 0; i < words; i++)
    digits += Math.max(1, Math.floor(random() * 2 ** 32))
      .toString(16)
      .padStart(8, '0');
  return digits;
}
