/** Requests of HTTP server spans as SDKs behind a Collector send them: about 500 bytes and 13 attributes a span. */
import { seededRandom } from '../demo/random.ts';
import { encodeRequest, type KeyValueInput, type RequestInput, type ResourceSpansInput, type SpanInput } from '../support/otlp-proto.ts';

export interface SpanRequestOptions {
  readonly spans: number;
  /** Spans of one ResourceSpans; a Collector batches what several pods sent. Default 128. */
  readonly spansPerResource?: number;
  /** Pods in all; every eighth runs the canary release. Default 64. */
  readonly pods?: number;
  /** Endpoints of the service. Default 40. */
  readonly endpoints?: number;
  /** Default `storefront`. */
  readonly service?: string;
  /** `service.version` of all pods; default: see `pods`. */
  readonly release?: string;
  /** Share of failed spans, [0, 1]. Default 0.01. */
  readonly errorRatio?: number;
  /** End time of the newest span. */
  readonly nowMs: number;
  readonly seed: number;
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];
const NOUNS = ['carts', 'orders', 'customers', 'payments', 'shipments', 'products', 'reviews', 'invoices', 'coupons', 'returns'];
const AGENT = 'okhttp/4.12.0';
const CANARY_EVERY = 8;
const ERROR_RATIO = 0.01;
const SPREAD_MS = 5000;

/** The bytes of one request; the same for the same options. */
export function spanRequest(options: SpanRequestOptions): Uint8Array {
  return encodeRequest(spanRequestInput(options));
}

/** The request before it is encoded. */
export function spanRequestInput(options: SpanRequestOptions): RequestInput {
  const random = seededRandom(options.seed);
  const perResource = options.spansPerResource ?? 128;
  const pods = options.pods ?? 64;
  const resourceSpans: ResourceSpansInput[] = [];
  for (let made = 0; made < options.spans; made += perResource) {
    const spans = Array.from({ length: Math.min(perResource, options.spans - made) }, () => serverSpan(random, options));
    resourceSpans.push({
      resource: { attributes: podAttributes(Math.floor(random() * pods), options) },
      scopeSpans: [{ scope: { name: '@opentelemetry/instrumentation-http', version: '0.301.0' }, spans }],
    });
  }
  return { resourceSpans };
}

function podAttributes(pod: number, { service = 'storefront', release }: SpanRequestOptions): KeyValueInput[] {
  const isCanary = pod % CANARY_EVERY === 0;
  return [
    text('service.name', service),
    text('service.namespace', 'shop'),
    text('service.version', release ?? (isCanary ? '2.14.0' : '2.13.4')),
    text('service.instance.id', `5d1f0c2e-7a41-4c0b-9a53-${String(pod).padStart(12, '0')}`),
    text('deployment.environment.name', 'production'),
    text('host.name', `ip-10-4-${pod >> 4}-${pod & 15}.eu-central-1.compute.internal`),
    text('k8s.namespace.name', 'shop'),
    text('k8s.deployment.name', 'storefront'),
    text('k8s.pod.name', `storefront-${isCanary ? '7c9d8f6b5' : '6b8f7d9c4'}-${pod.toString(36).padStart(5, 'x')}`),
    text('k8s.pod.label.rollouts-pod-template-hash', isCanary ? '7c9d8f6b5' : '6b8f7d9c4'),
    text('k8s.node.name', `node-${pod % 9}`),
    text('telemetry.sdk.language', 'nodejs'),
    text('telemetry.sdk.version', '2.11.0'),
  ];
}

function serverSpan(random: () => number, options: SpanRequestOptions): SpanInput {
  const endpoint = Math.floor(random() * (options.endpoints ?? 40));
  const method = METHODS[endpoint % METHODS.length] as string;
  const noun = NOUNS[endpoint % NOUNS.length] as string;
  const route = `/api/v1/${noun}/{id}/step${Math.floor(endpoint / NOUNS.length)}`;
  const failed = random() < (options.errorRatio ?? ERROR_RATIO);
  const endNs = BigInt(Math.floor(options.nowMs - random() * SPREAD_MS)) * 1_000_000n + BigInt(Math.floor(random() * 1e6));
  const durationNs = BigInt(Math.floor(-Math.log(1 - random()) * 2e7) + 500_000);
  return {
    traceId: randomBytes(random, 16),
    spanId: randomBytes(random, 8),
    parentSpanId: randomBytes(random, 8),
    flags: 0x301,
    name: `${method} ${route}`,
    kind: 2,
    startTimeUnixNano: endNs - durationNs,
    endTimeUnixNano: endNs,
    attributes: [
      text('http.request.method', method),
      text('url.scheme', 'https'),
      text('url.path', `/api/v1/${noun}/${Math.floor(random() * 1e6)}`),
      text('http.route', route),
      text('server.address', 'storefront'),
      int('server.port', 8443),
      text('client.address', `10.4.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`),
      text('network.peer.address', `10.9.0.${Math.floor(random() * 256)}`),
      int('network.peer.port', 30_000 + Math.floor(random() * 30_000)),
      text('network.protocol.version', '1.1'),
      text('user_agent.original', AGENT),
      int('http.response.status_code', failed ? 503 : 200),
      text('app.tenant', `t-${Math.floor(random() * 100)}`),
    ],
    ...(failed ? { status: { code: 2 } } : {}),
  };
}

function text(key: string, stringValue: string): KeyValueInput {
  return { key, value: { stringValue } };
}

function int(key: string, intValue: number): KeyValueInput {
  return { key, value: { intValue } };
}

/** Not all zero, as an id must be. */
function randomBytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => 1 + Math.floor(random() * 255));
}
