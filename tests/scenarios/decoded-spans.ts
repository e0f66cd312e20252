/** Spans of a request as an independent reader sees them, to be counted once more. */
import { decodeRequest } from '../support/otlp-proto.ts';

export interface DecodedSpan {
  readonly service: string;
  readonly release: string;
  readonly endpoint: string;
  readonly endMs: number;
  readonly durationNs: bigint;
  readonly failed: boolean;
  readonly status: number;
}

interface Wire {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}
interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}
interface WireSpan {
  readonly attributes: readonly Attribute[];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** An independent reading of a request: protobufjs, and the conventions spelled out once more. */
export function decodedSpans(bytes: Uint8Array): DecodedSpan[] {
  const message = decodeRequest(bytes);
  const wire = message.$type.toObject(message, { longs: String }) as Wire;
  return wire.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => {
        const end = BigInt(span.endTimeUnixNano);
        const status = span.attributes.find(({ key }) => key === 'http.response.status_code')?.value.intValue;
        return {
          service: text(resource.attributes, 'service.name'),
          release: text(resource.attributes, 'service.version'),
          endpoint: `${text(span.attributes, 'http.request.method')} ${text(span.attributes, 'http.route')}`,
          endMs: Number(end / 1_000_000n),
          durationNs: end - BigInt(span.startTimeUnixNano),
          failed: Number(status) >= 500,
          status: Number(status),
        };
      }),
    ),
  );
}

function text(attributes: readonly Attribute[], wanted: string): string {
  return attributes.find(({ key }) => key === wanted)?.value.stringValue ?? '';
}
