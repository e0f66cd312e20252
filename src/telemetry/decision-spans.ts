/** Own decisions as spans: one trace for each rollout, with an id that follows from the rollout, so that every process and every restart adds to the same. */
import { createHash, randomBytes } from 'node:crypto';
import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, type Tracer, trace } from '@opentelemetry/api';

export interface RolloutKey {
  readonly id: string;
  readonly generation: number;
}

export interface DecisionSpan {
  /** `analysis run` is the root of the trace: to be told once, with the first verdict. */
  readonly name: 'analysis run' | 'verdict' | 'delivery';
  readonly rollout: RolloutKey;
  /** Epoch ms. An end before the start counts as the start. */
  readonly startMs: number;
  readonly endMs: number;
  /** Without the prefix `slipstream.`, which they get. */
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[] | null>>;
  /** Text of what went wrong; absent: nothing did. */
  readonly error?: string;
}

/** 32 hexadecimal digits: under which the spans of a rollout are found, and what log lines carry as `trace_id`. */
export function decisionTraceId(rollout: RolloutKey): string {
  return digestOf('trace', rollout).slice(0, 32);
}

/** Random ids, but for the root of a rollout's trace. */
export class DecisionIds {
  #next: { readonly traceId: string; readonly spanId: string } | null = null;

  readonly generateTraceId = (): string => this.#next?.traceId ?? randomBytes(16).toString('hex');
  readonly generateSpanId = (): string => this.#next?.spanId ?? randomBytes(8).toString('hex');

  /** What begins meanwhile gets these ids. */
  as<T>(ids: { readonly traceId: string; readonly spanId: string }, act: () => T): T {
    this.#next = ids;
    try {
      return act();
    } finally {
      this.#next = null;
    }
  }
}

/** Writes the span, after the fact. Costs next to nothing while nobody listens. */
export function tellDecision(tracer: Tracer, ids: DecisionIds, span: DecisionSpan): void {
  const { name, rollout, startMs, endMs, attributes, error } = span;
  const root = { traceId: decisionTraceId(rollout), spanId: digestOf('root', rollout).slice(0, 16) };
  const parent = trace.setSpanContext(ROOT_CONTEXT, { ...root, traceFlags: TraceFlags.SAMPLED, isRemote: true });
  // A number before the start of this process would be read as one of its monotonic clock.
  const options = { kind: SpanKind.INTERNAL, startTime: new Date(startMs), attributes: prefixed(rollout, attributes) };
  const begun =
    name === 'analysis run'
      ? ids.as(root, () => tracer.startSpan(name, { ...options, root: true }))
      : tracer.startSpan(name, options, parent);
  if (error !== undefined) begun.setStatus({ code: SpanStatusCode.ERROR, message: error });
  begun.end(new Date(Math.max(startMs, endMs)));
}

function prefixed({ id, generation }: RolloutKey, attributes: DecisionSpan['attributes']): Attributes {
  const all: Attributes = { 'slipstream.rollout.id': id, 'slipstream.rollout.generation': generation };
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) all[`slipstream.${key}`] = typeof value === 'object' ? [...value] : value;
  }
  return all;
}

function digestOf(what: string, { id, generation }: RolloutKey): string {
  return createHash('sha256').update(`${what}/${id}/${generation}`).digest('hex');
}
