/** Criteria as people say them (`p99 <= +10%`, `errors < 1%`), read into a tolerance against the baseline or a limit of the canary alone. */
import type { CheckName } from '../model/policy.ts';
import { nearestName } from './nearest-name.ts';
import { Complaint, complementOfPercent, parseDurationNs, parsePercent, ratioOfPercent } from './quantity.ts';

export type ParsedCriterion = RelativeCriterion | AbsoluteCriterion;

/** What counts as harm, compared with the baseline. */
export interface RelativeCriterion {
  readonly kind: 'relative';
  /** As the file has it. */
  readonly text: string;
  readonly check: CheckName;
  /** `share`: of the baseline's latency, or of its odds of failing; `points`: of all requests, for errors only. */
  readonly unit: 'share' | 'points';
  /** +10 % is 0.1, +0.1pp is 0.001. */
  readonly increase: number;
}

/** What the canary must keep by itself. */
export interface AbsoluteCriterion {
  readonly kind: 'absolute';
  readonly text: string;
  /** `p95`, `p99.9`, `errors`. */
  readonly subject: string;
  /** Share of requests that may be bad, in (0, 1). */
  readonly limitRatio: number;
  /** Bad means slower; null: failed. */
  readonly edgeUs: number | null;
}

const NUMBER = '[0-9]+(\\.[0-9]+)?';
export const CRITERION_PATTERN = `^([pP]\\s?${NUMBER}\\s*<=?\\s*(\\+${NUMBER}%|(${NUMBER}(ns|us|µs|ms|s|m|h))+)|errors\\s*<=?\\s*(\\+${NUMBER}(%|pp)|${NUMBER}%))$`;
const EXPECTED =
  'a criterion such as `p99 <= +10%` or `errors <= +0.1pp` against the baseline, `p95 < 500ms` or `errors < 1%` for the canary alone';
const COMPARED = ['p50', 'p95', 'p99'] as const;
const MAX_TEXT_CHARS = 64;
const MAX_RELATIVE = 10;
/** Who tolerates a smaller share of an error rate means percentage points. */
const LEAST_ODDS = 0.01;
const MAX_LATENCY_NS = 3_600_000_000_000n;

/** Reads one criterion. `<` and `<=` mean the same: what is compared are shares of many requests. */
export function parseCriterion(value: unknown): ParsedCriterion | Complaint {
  const text = String(value).trim();
  if (typeof value !== 'string' || text.length > MAX_TEXT_CHARS) return new Complaint('not a criterion', EXPECTED);
  const match = /^([A-Za-z][\w. -]*?|[pP]\s?\d+(?:\.\d+)?)\s*(<=|>=|=<|=>|==|<|>|=)\s*(\S.*)$/.exec(text);
  if (match === null) return shapelessComplaint(text);
  const [, subject = '', operator = '', limit = ''] = match;
  const quantile = /^[pP]\s?(\d{1,5}(?:\.\d{1,9})?)$/.exec(subject)?.[1];
  if (quantile === undefined && subject !== 'errors') return subjectComplaint(subject, limit);
  if (operator !== '<' && operator !== '<=') {
    const meant = `${subject} <= ${limit}`;
    return new Complaint('a criterion is what a good canary keeps: an upper limit', EXPECTED, meant);
  }
  const said = (of: string): string => `${subject} ${operator} ${of}`;
  if (limit.startsWith('-'))
    return new Complaint('a canary is never asked to be better than the baseline', EXPECTED, said(`+${limit.slice(1)}`));
  if (limit.startsWith('+')) return relative(text, quantile, limit, said);
  return quantile === undefined ? absoluteErrors(text, limit, said) : absoluteLatency(text, quantile, limit, said);
}

/** The same criterion with another limit, for suggestions. */
type Said = (limit: string) => string;

function relative(text: string, quantile: string | undefined, limit: string, said: Said): ParsedCriterion | Complaint {
  const match = /^\+(\d{1,6}(?:\.\d{1,12})?)\s*(\S*)$/.exec(limit);
  if (match === null) return new Complaint('not an increase', EXPECTED);
  const [, digits = '', unit = ''] = match;
  const usual = quantile === undefined ? 'pp' : '%';
  if (unit === '') return new Complaint('the unit of the increase is missing', EXPECTED, said(`+${digits}${usual}`));
  if (unit === 'pp' && quantile !== undefined) {
    return new Complaint('percentage points are for errors; a latency grows by a share of itself', EXPECTED, said(`+${digits}%`));
  }
  if (unit !== '%' && unit !== 'pp') {
    if (quantile === undefined) return new Complaint(`errors do not grow by \`${unit}\``, EXPECTED, said(`+${digits}pp`));
    const message = 'a criterion compares by a share; differences that are too small to matter are `orAtLeast` of `tolerances`';
    return new Complaint(message, EXPECTED, said(`${digits}${unit}`));
  }
  const written = `+${digits}${unit}`;
  if (limit !== written) return new Complaint('an increase has no spaces', EXPECTED, said(written));
  const increase = ratioOfPercent(digits);
  if (increase > (unit === 'pp' ? 1 : MAX_RELATIVE)) return new Complaint('larger than can be meant', EXPECTED);
  if (quantile === undefined && unit === '%' && increase > 0 && increase < LEAST_ODDS) {
    return new Complaint(
      '`%` is relative to the baseline’s own error rate, of which this is next to nothing',
      EXPECTED,
      said(`+${digits}pp`),
    );
  }
  if (quantile === undefined) return { kind: 'relative', text, check: 'errors', unit: unit === 'pp' ? 'points' : 'share', increase };
  const check = COMPARED.find((name) => name === `p${quantile}`);
  if (check !== undefined) return { kind: 'relative', text, check, unit: 'share', increase };
  return new Complaint(
    `p${quantile} is not compared with the baseline`,
    `${COMPARED.join(', ')} or errors; limits such as \`p90 < 500ms\` are free`,
  );
}

function absoluteErrors(text: string, limit: string, said: Said): ParsedCriterion | Complaint {
  const points = /^(\d+(?:\.\d+)?)\s*pp$/.exec(limit)?.[1];
  if (points !== undefined)
    return new Complaint('percentage points are a difference, and a difference needs its sign', EXPECTED, said(`+${points}pp`));
  const digits = parsePercent(limit, '1%');
  if (digits instanceof Complaint)
    return new Complaint(`the limit \`${limit}\`: ${digits.message}`, EXPECTED, digits.suggestion && said(digits.suggestion));
  if (Number(digits) === 0) return new Complaint('0% leaves no room: the first failed request would break it', EXPECTED, said('1%'));
  if (Number(digits) >= 100) return new Complaint('100% is met by anything', EXPECTED);
  return { kind: 'absolute', text, subject: 'errors', limitRatio: ratioOfPercent(digits), edgeUs: null };
}

function absoluteLatency(text: string, quantile: string, limit: string, said: Said): ParsedCriterion | Complaint {
  const share = /^(\d+(?:\.\d+)?)\s*%$/.exec(limit)?.[1];
  if (share !== undefined)
    return new Complaint('a share of the baseline is a difference, and a difference needs its sign', EXPECTED, said(`+${share}%`));
  const [low, high] = [Number(quantile) === 0, Number(quantile) >= 100];
  if (low || high)
    return new Complaint(`there is no percentile ${quantile} with a limit`, EXPECTED, high ? `p${dotted(quantile)} < ${limit}` : undefined);
  const limitNs = parseDurationNs(limit, 'ms');
  if (limitNs instanceof Complaint)
    return new Complaint(`the limit \`${limit}\`: ${limitNs.message}`, EXPECTED, limitNs.suggestion && said(limitNs.suggestion));
  if (limitNs < 1000n) return new Complaint('no request is that fast', EXPECTED);
  if (limitNs > MAX_LATENCY_NS) return new Complaint('a latency limit is at most 1h', EXPECTED);
  return {
    kind: 'absolute',
    text,
    subject: `p${Number(quantile)}`,
    limitRatio: complementOfPercent(quantile),
    edgeUs: Number(limitNs) / 1000,
  };
}

/** p999 is how some write p99.9. */
function dotted(quantile: string): string {
  return /^99\d+$/.test(quantile) ? `99.${quantile.slice(2)}` : '99';
}

function shapelessComplaint(text: string): Complaint {
  const bare = /^(<=?)?\s*([+]?\d[\d.]*\s*[a-zA-Zµ%]*)$/.exec(text);
  if (bare === null) return new Complaint('not a criterion', EXPECTED);
  const [, operator = '<', limit = ''] = bare;
  return new Complaint('what is to be compared is missing', EXPECTED, `${/(%|pp)$/.test(limit) ? 'errors' : 'p95'} ${operator} ${limit}`);
}

/** How others call what we compare. */
const ALIASES: readonly [RegExp, string][] = [
  [/^(error[\s_-]?(rate|ratio|percentage)?|failures?|failure[\s_-]?rate)$/i, 'errors'],
  [/^(latency[._-]?)?(p\d[\d.]*)$/i, '$2'],
  [/^(median|latency)$/i, 'p50'],
];

function subjectComplaint(subject: string, limit: string): Complaint {
  const message = `\`${subject}\` is not something a criterion can ask for`;
  if (/^(availability|success[\s_-]?(rate|ratio)?|request-success-rate)$/i.test(subject)) {
    const digits = parsePercent(limit);
    const isShare = !(digits instanceof Complaint) && Number(digits) > 0 && Number(digits) < 100;
    return new Complaint(
      `${message}: say how many requests may fail`,
      EXPECTED,
      isShare ? `errors < ${percentText(complementOfPercent(digits))}` : undefined,
    );
  }
  for (const [pattern, name] of ALIASES) {
    if (pattern.test(subject)) return new Complaint(message, EXPECTED, `${subject.replace(pattern, name)} < ${limit}`);
  }
  const near = nearestName(subject, [...COMPARED, 'errors']);
  return new Complaint(message, EXPECTED, near && `${near} < ${limit}`);
}

function percentText(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(12))}%`;
}
