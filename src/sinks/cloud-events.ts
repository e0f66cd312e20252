/** Events as CloudEvents 1.0 has them over HTTP, in one piece (structured) or spread over headers and body (binary). */
import { visible } from '../model/safe-text.ts';

/** Attributes and data of one event. */
export interface CloudEvent {
  readonly id: string;
  /** A URI reference. */
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  /** JSON as text: it goes out as these bytes. */
  readonly data: string;
}

/** What a request carries. */
export interface EventRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Everything in the body, so that a signature of the body covers the attributes too. */
export function structuredRequest(event: CloudEvent): EventRequest {
  const attributes = JSON.stringify({ ...attributesOf(event), datacontenttype: 'application/json' });
  return { headers: { 'content-type': 'application/cloudevents+json' }, body: `${attributes.slice(0, -1)},"data":${event.data}}` };
}

/** Attributes in headers, data as the body. The content type is the data's, so there is no `ce-datacontenttype`. */
export function binaryRequest(event: CloudEvent): EventRequest {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (const [name, value] of Object.entries(attributesOf(event))) headers[`ce-${name}`] = headerValue(value);
  return { headers, body: event.data };
}

/**
 * Space, `"`, `%` and all beyond U+0021 to U+007E as percent and the upper-case hex of their bytes in UTF-8 (CloudEvents HTTP binding 1.0.2, 3.1.3.2);
 * half a surrogate pair becomes U+FFFD.
 */
export function headerValue(text: string): string {
  let value = '';
  for (const byte of Buffer.from(text.toWellFormed())) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25;
    value += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return value;
}

/** Strings of CloudEvents have no control characters. */
function attributesOf({ id, source, type, subject, time }: CloudEvent): Readonly<Record<string, string>> {
  return { specversion: '1.0', id: visible(id), source: visible(source), type, subject: visible(subject), time };
}
