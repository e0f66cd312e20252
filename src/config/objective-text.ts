/** Objectives as people say them (`p95 < 500ms`, `99.9%`, `< 0.1%`), read into an SLI and a target ratio without float dirt. */
import type { Sli } from '../model/objective.ts';
import { Complaint, complementOfPercent, parseDurationNs, parsePercent, ratioOfPercent } from './quantity.ts';

export interface ParsedObjective {
  readonly sli: Sli;
  /** Good to valid, in (0, 1). */
  readonly target: number;
  /** Name when the file gives none. */
  readonly defaultName: string;
  readonly text: string;
}

const NO_BUDGET = 'leaves no error budget: the first bad request would break it for the whole window';
const EXPECTED_LATENCY = 'a percentile and a limit, such as `p95 < 500ms`';
/** Longer latencies are no requests. */
const MAX_LATENCY_NS = 86_400_000_000_000n;

/** `p95 < 500ms`: 95 % of the requests take at most 500 ms. */
export function parseLatency(value: unknown): ParsedObjective | Complaint {
  const text = String(value).trim();
  const match = /^[pP]\s?(\d{1,5}(?:\.\d{1,9})?)\s*(<=?)\s*(\S.*)$/.exec(text);
  if (typeof value !== 'string' || match === null) return latencyComplaint(text);
  const [, quantile = '', , limit = ''] = match;
  if (Number(quantile) === 100) return new Complaint(`an objective of p100 ${NO_BUDGET}`, EXPECTED_LATENCY, text.replace('100', '99.9'));
  if (Number(quantile) > 100) {
    return new Complaint(`there is no percentile ${quantile}`, EXPECTED_LATENCY, text.replace(quantile, dotted(quantile)));
  }
  if (Number(quantile) === 0) return new Complaint('p0 is met by anything', EXPECTED_LATENCY);
  const thresholdNs = parseDurationNs(limit, 'ms');
  if (thresholdNs instanceof Complaint) {
    const { message, suggestion } = thresholdNs;
    return new Complaint(`the limit \`${limit}\`: ${message}`, EXPECTED_LATENCY, suggestion && text.replace(limit, suggestion));
  }
  if (thresholdNs === 0n) return new Complaint('no request takes no time', EXPECTED_LATENCY);
  if (thresholdNs > MAX_LATENCY_NS) return new Complaint('a latency limit is at most 24h', EXPECTED_LATENCY);
  return {
    sli: { kind: 'latency', thresholdNs: Number(thresholdNs) },
    target: ratioOfPercent(quantile),
    defaultName: `latency-p${quantile}-${limit}`,
    text: `latency: ${text}`,
  };
}

function latencyComplaint(text: string): Complaint {
  const swapped = /^[pP](\d[\d.]*)\s*>=?\s*(\S.*)$/.exec(text);
  if (swapped !== null) return new Complaint('a latency objective is an upper limit', EXPECTED_LATENCY, `p${swapped[1]} < ${swapped[2]}`);
  const bare = /^<?=?\s*(\d[\d.]*\s*[a-zA-Zµ]*)$/.exec(text);
  if (bare !== null) return new Complaint('the percentile is missing', EXPECTED_LATENCY, `p95 < ${bare[1]}`);
  return new Complaint('not a latency objective', EXPECTED_LATENCY);
}

/** p999 is how some write p99.9. */
function dotted(quantile: string): string {
  return /^99\d+$/.test(quantile) ? `99.${quantile.slice(2)}` : '99';
}

/** `99.9%` of the requests do not fail. */
export function parseAvailability(value: unknown): ParsedObjective | Complaint {
  const text = String(value).trim();
  const expected = 'the share of good requests, such as 99.9%';
  const digits = parsePercent(typeof value === 'string' ? text.replace(/^>=?\s*/, '') : value);
  if (digits instanceof Complaint) return new Complaint(digits.message, expected, digits.suggestion);
  if (text.startsWith('>')) return new Complaint('an availability is written without a sign', expected, `${digits}%`);
  if (Number(digits) === 100) return new Complaint(`an objective of 100% ${NO_BUDGET}`, expected, '99.9%');
  if (Number(digits) > 100) return new Complaint('more than all requests cannot be good', expected);
  if (Number(digits) === 0) return new Complaint('an objective of 0% is met by anything', expected);
  return { sli: { kind: 'availability' }, target: ratioOfPercent(digits), defaultName: 'availability', text: `availability: ${text}` };
}

/** `< 0.1%` of the requests fail. */
export function parseErrorRate(value: unknown): ParsedObjective | Complaint {
  const text = String(value).trim();
  const expected = 'an upper limit, such as `< 0.1%`';
  const match = /^<=?\s*(\S.*)$/.exec(text);
  const digits = parsePercent(match?.[1] ?? value);
  if (digits instanceof Complaint) return new Complaint(digits.message, expected, digits.suggestion && `< ${digits.suggestion}`);
  if (match === null) return new Complaint('an error rate needs its `<`', expected, `< ${digits}%`);
  if (Number(digits) === 0) return new Complaint(`an error rate of 0% ${NO_BUDGET}`, expected, '< 0.1%');
  if (Number(digits) >= 100) return new Complaint('an error rate of 100% is met by anything', expected);
  return { sli: { kind: 'errorRate' }, target: complementOfPercent(digits), defaultName: 'error-rate', text: `errorRate: ${text}` };
}
