/** Releases and series in the dictionary of a record, in bytes that are the same whenever they mean the same. */
import { ENDPOINT_KINDS, type Release, type SeriesInfo } from '../model/series.ts';
import type { RecordReader } from './record-reader.ts';
import { RecordWriter } from './record-writer.ts';

export type EndpointEntry = Pick<SeriesInfo, 'endpoint' | 'kind' | 'thresholdsNs' | 'rules'>;

/** Thresholds, and event rules, of a series. */
const MOST_LIMITS = 8;
const LEAST_TEXT_BYTES = 1;
const DOUBLE_BYTES = 8;

/** name: text, n × (attribute: text, value: text). */
export function releaseEntry({ name, attributes }: Release): Uint8Array {
  const out = new RecordWriter(64);
  out.text(name);
  out.varint(attributes.size);
  for (const [key, value] of attributes) {
    out.text(key);
    out.text(value);
  }
  return out.take();
}

export function readRelease(from: RecordReader): Release {
  const name = from.text();
  const attributes = new Map<string, string>();
  for (let left = from.howMany(2 * LEAST_TEXT_BYTES); left > 0; left--) attributes.set(from.text(), from.text());
  return { name, attributes };
}

/** Steps over what `readRelease` reads. */
export function skipRelease(from: RecordReader): void {
  from.skip();
  for (let left = from.howMany(2 * LEAST_TEXT_BYTES) * 2; left > 0; left--) from.skip();
}

/** kind: its number in ENDPOINT_KINDS, endpoint: text, n × threshold in ns: double, n × rule: text. */
export function endpointEntry({ kind, endpoint, thresholdsNs, rules }: EndpointEntry): Uint8Array {
  const out = new RecordWriter(64);
  out.varint(ENDPOINT_KINDS.indexOf(kind));
  out.text(endpoint);
  out.varint(thresholdsNs.length);
  for (const threshold of thresholdsNs) out.double(threshold);
  out.varint(rules.length);
  for (const rule of rules) out.text(rule);
  return out.take();
}

export function readEndpoint(from: RecordReader): EndpointEntry {
  const kind = ENDPOINT_KINDS[from.varint(ENDPOINT_KINDS.length - 1)] ?? 'span';
  const endpoint = from.text();
  const thresholdsNs = Array.from({ length: from.varint(MOST_LIMITS) }, () => from.double());
  const rules = Array.from({ length: from.varint(MOST_LIMITS) }, () => from.text());
  return { kind, endpoint, thresholdsNs, rules };
}

/** Steps over what `readEndpoint` reads, and returns how many slow counters its rows have: one for each threshold, two for each rule. */
export function skipEndpoint(from: RecordReader): number {
  from.varint(ENDPOINT_KINDS.length - 1);
  from.skip();
  const thresholds = from.varint(Math.min(MOST_LIMITS, Math.floor(from.left / DOUBLE_BYTES)));
  for (let before = Number.NEGATIVE_INFINITY, left = thresholds; left > 0; left--) {
    const threshold = from.double();
    if (threshold <= before) from.fail('thresholds are not ascending');
    before = threshold;
  }
  const rules = from.varint(MOST_LIMITS);
  for (let left = rules; left > 0; left--) from.skip();
  return thresholds + 2 * rules;
}
