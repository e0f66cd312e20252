/** Objectives as people say them (`p95 < 500ms`, `99.9%`, `< 0.1%`, `> 10/s`), read into an SLI and a target ratio without float dirt. */
import type { Sli } from '../model/objective.ts';
import { Complaint, complementOfPercent, parseDurationNs, parsePercent, ratioOfPercent } from './quantity.ts';

export interface ParsedObjective {
  readonly sli: Sli;
  /** Good to valid, in (0, 1). Where the text does not carry one, of slices of time: USUAL_SLICES_TARGET. */
  readonly target: number;
  /** Name when the file gives none. */
  readonly defaultName: string;
  readonly text: string;
}

/** Share of slices of time that must be good where nobody says another: a bad minute in a hundred. */
export const USUAL_SLICES_TARGET = 0.99;

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

/** From here on a number without sign is taken for a percentage. */
const LEAST_BARE_PERCENT = 0.05;

/** `< 0.1%` of the requests fail. */
export function parseErrorRate(value: unknown): ParsedObjective | Complaint {
  const text = String(value).trim();
  const expected = 'an upper limit, such as `< 0.1%`';
  const match = /^<=?\s*(\S.*)$/.exec(text);
  const digits = parsePercent(match?.[1] ?? value);
  if (digits instanceof Complaint) {
    // `0.1` is 0.1 % in a contract: nobody promises that 10 % fail.
    const isPercentage = /^\d+(?:\.\d+)?$/.test(match?.[1] ?? '') && Number(match?.[1]) >= LEAST_BARE_PERCENT;
    const meant = isPercentage ? `${match?.[1]}%` : digits.suggestion;
    return new Complaint(digits.message, expected, meant && `< ${meant}`);
  }
  if (match === null) return new Complaint('an error rate needs its `<`', expected, `< ${digits}%`);
  if (Number(digits) === 0) return new Complaint(`an error rate of 0% ${NO_BUDGET}`, expected, '< 0.1%');
  if (Number(digits) >= 100) return new Complaint('an error rate of 100% is met by anything', expected);
  return { sli: { kind: 'errorRate' }, target: complementOfPercent(digits), defaultName: 'error-rate', text: `errorRate: ${text}` };
}

const PER_SECOND: Readonly<Record<string, number>> = { s: 1, sec: 1, second: 1, m: 60, min: 60, minute: 60, h: 3600, hour: 3600 };
const EXPECTED_RATE = 'a limit of requests in a time, such as `> 10/s` or `< 2000/s`';
const MAX_PER_SECOND = 1e9;

/** `> 10/s`: a slice of time is good with at least 10 requests a second; `< 2000/s` with at most 2,000. */
export function parseThroughput(value: unknown): ParsedObjective | Complaint {
  const text = String(value).trim();
  const match = /^([<>]=?)?\s*(\d{1,12}(?:\.\d{1,9})?)\s*(?:(?:requests|reqs?)?\s*\/\s*([a-z]+)|(rps|rpm))?$/i.exec(text);
  if (typeof value !== 'string' && typeof value !== 'number') return new Complaint('not a throughput', EXPECTED_RATE);
  if (match === null) return new Complaint('not a throughput', EXPECTED_RATE);
  const [, sign = '', digits = '', per, short] = match;
  const unit = short === undefined ? per?.toLowerCase() : short.charAt(2).toLowerCase();
  if (unit === undefined) return new Complaint('the unit is missing', EXPECTED_RATE, `${sign === '' ? '>' : sign} ${digits}/s`);
  const seconds = PER_SECOND[unit];
  if (seconds === undefined) return new Complaint(`there is no unit \`/${unit}\``, `${EXPECTED_RATE}, by s, m or h`);
  const rate = `${digits}/${unit.charAt(0)}`;
  if (sign === '') return new Complaint('a throughput needs its `>` or `<`', EXPECTED_RATE, `> ${rate}`);
  const perSecond = Number(digits) / seconds;
  if (perSecond === 0) return new Complaint(sign.startsWith('>') ? 'met by anything' : 'met by nothing', EXPECTED_RATE);
  if (perSecond > MAX_PER_SECOND) return new Complaint('more than can be meant', EXPECTED_RATE);
  const bound = sign.startsWith('>') ? 'least' : 'most';
  return {
    sli: { kind: 'throughput', bound, perSecond },
    target: USUAL_SLICES_TARGET,
    defaultName: `throughput-${bound}-${digits}-per-${unit.charAt(0)}`,
    text: `throughput: ${sign} ${rate}`,
  };
}

/** `< 200`: a slice of time is good with at most 200 requests at once on average. */
export function parseInFlight(value: unknown): ParsedObjective | Complaint {
  const text = String(value).trim();
  const expected = 'an upper limit of requests at once, such as `< 200`';
  const match = /^([<>]=?)?\s*(\d{1,9}(?:\.\d{1,6})?)$/.exec(text);
  if ((typeof value !== 'string' && typeof value !== 'number') || match === null)
    return new Complaint('not a number of requests', expected);
  const [, sign = '', digits = ''] = match;
  if (!sign.startsWith('<')) {
    const message = sign === '' ? 'a limit of requests in flight needs its `<`' : 'a limit of requests in flight is an upper one';
    return new Complaint(message, expected, `< ${digits}`);
  }
  if (Number(digits) === 0) return new Complaint('no service works without requests', expected);
  return {
    sli: { kind: 'inFlight', limit: Number(digits) },
    target: USUAL_SLICES_TARGET,
    defaultName: `in-flight-${digits}`,
    text: `inFlight: ${sign} ${digits}`,
  };
}
