/** Which spans are counted, as what, and how much a request may ask of the decoder. */
import type { DurationMs } from './time.ts';

export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export type SpanKind = (typeof SPAN_KINDS)[number];

/** Matches a span when every attribute (of span or resource) has one of the values; `*` stands for any value. */
export type AttributeRule = Readonly<Record<string, readonly string[]>>;

/** Rules of one service that a span is held against: bits of a mask. */
export const MAX_EVENT_RULES = 8;

/** Positions are the codes on the wire. Source: opentelemetry-proto, trace.proto, Status. */
export const SPAN_STATUSES = ['unset', 'ok', 'error'] as const;

/** What an event rule may name beside attributes: fields of the span itself. Their values are of SPAN_STATUSES and of SPAN_KINDS. */
export const SPAN_STATUS_ATTRIBUTE = 'span.status';
export const SPAN_KIND_ATTRIBUTE = 'span.kind';

/** Own definition of good and bad, by attributes of span and resource. */
export interface EventRule {
  /** Tells it from others of the service, and is the same for the same `where` and `bad`. */
  readonly key: string;
  /** Spans of the endpoint that are valid events; null: all that are counted. */
  readonly where: AttributeRule | null;
  /** Bad when any of these matches. A span that is not valid is not bad either. */
  readonly bad: readonly AttributeRule[];
}

/** An event rule that a series has counters for: what is kept of it, and where it is in a span's masks now. */
export interface CountedRule {
  readonly key: string;
  readonly bit: number;
}

/** How an HTTP or gRPC status counts where the conventions leave room: `ignored` spans are not counted at all. */
export type StatusTreatment = 'bad' | 'good' | 'ignored';

export interface SpanRules {
  /** Kinds that are SLI spans. */
  readonly kinds: readonly SpanKind[];
  /** Count a span only when its parent is remote or absent (where its flags tell), so that nested server spans count once. */
  readonly entryOnly: boolean;
  /** Spans of a service that are not counted; key `*` is every service. */
  readonly exclude: ReadonlyMap<string, readonly AttributeRule[]>;
  /**
   * Event rules of a service's objectives, at most MAX_EVENT_RULES; a rule's position is its bit in a span's masks. Other than in `exclude`, no key
   * stands for every service, the older names of an attribute of the conventions stand for the newer one, and so do the three spellings of a gRPC code.
   */
  readonly events: ReadonlyMap<string, readonly EventRule[]>;
  /** Tracked resource attributes that make a release, most telling first. */
  readonly releaseBy: readonly string[];
  /** Resource attributes that name the pod, the first with a value counts: one that a restart of the process keeps comes first. */
  readonly instanceBy: readonly string[];
  /** Overrides by HTTP status code (`429`) or gRPC status name (`CANCELLED`). */
  readonly statusTreatment: ReadonlyMap<string, StatusTreatment>;
  /** How far a span's end may lie in the future of the receiver's clock. */
  readonly maxSkewMs: DurationMs;
  /** Spans that ended longer ago are `ancient`. */
  readonly maxAgeMs: DurationMs;
  /** Longer durations are `absurd_duration`. */
  readonly maxDurationMs: DurationMs;
  readonly limits: {
    readonly spansPerRequest: number;
    readonly attributesPerSpan: number;
    /** Nesting of AnyValue. */
    readonly depth: number;
    /** Longer endpoint names are cut here. */
    readonly nameBytes: number;
  };
}
