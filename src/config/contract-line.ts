/** Objectives in one line as a contract has them: `p95 < 500 ms, 99.9 % available, error rate < 0.1 % on POST /checkout`. */
import { nearestName } from './nearest-name.ts';
import { type ParsedObjective, parseAvailability, parseErrorRate, parseInFlight, parseLatency, parseThroughput } from './objective-text.ts';
import { Complaint, tidyDuration } from './quantity.ts';

/** One promise of the line. */
export interface ContractPart {
  readonly objective: ParsedObjective;
  /** What follows `on`; null: the whole service. */
  readonly endpoint: string | null;
  /** From 1, in the line. */
  readonly column: number;
}

/** Lines of a contract are often pasted as several, or with semicolons. */
const SEPARATOR = /[,;\n]/;
const MAX_LINE_CHARS = 2000;
const MAX_PARTS = 50;
const MAX_ENDPOINT_CHARS = 512;

export const EXPECTED_CONTRACT =
  'parts between commas such as `p95 < 500ms`, `99.9%`, `errors < 0.1%`, `throughput > 10/s` or `in flight < 200`, each with `on POST /checkout` where one endpoint is meant';

/**
 * Forgiving in spaces and words, exact in meaning: `<` and `<=` are the same (what is compared are shares of many requests), a percentage has its
 * sign, a duration its unit. Texts of the objectives are in the form that an entry of the file has.
 */
export function parseContract(line: string): readonly ContractPart[] | Complaint {
  if (line.length > MAX_LINE_CHARS) return new Complaint(`longer than ${MAX_LINE_CHARS} characters`, EXPECTED_CONTRACT);
  if (/[^\P{Cc}\t\r\n]/u.test(line)) return new Complaint('has control characters', EXPECTED_CONTRACT);
  const comma = /\d,\d/.exec(line);
  if (comma !== null) return decimalComma(line, comma.index);
  const parts: ContractPart[] = [];
  let column = 1;
  const pieces = line.split(SEPARATOR);
  if (pieces.length > MAX_PARTS) return new Complaint(`more than ${MAX_PARTS} parts`, EXPECTED_CONTRACT);
  for (const [index, piece] of pieces.entries()) {
    const text = piece.trim();
    const at = column + piece.length - piece.trimStart().length;
    column += piece.length + 1;
    // A comma at the end does no harm.
    if (text === '' && index === pieces.length - 1 && parts.length > 0) break;
    const part =
      text === ''
        ? new Complaint('nothing is promised here', EXPECTED_CONTRACT)
        : (endpointAlone(text, pieces[index - 1]) ?? partOf(text, at));
    if (!(part instanceof Complaint)) parts.push(part);
    else return placed(part, index, text, at);
  }
  return parts;
}

function placed({ message, expected, suggestion }: Complaint, index: number, text: string, column: number): Complaint {
  return new Complaint(`part ${index + 1} (\`${text}\`, column ${column}): ${message}`, expected, suggestion);
}

/** `99,9 %` would be two parts: a comma between digits is never guessed at. */
function decimalComma(line: string, index: number): Complaint {
  const start = line.slice(0, index + 1).search(/[\d.]+$/);
  const end = index + 2 + line.slice(index + 2).search(/[^\d.]|$/);
  const number = line.slice(start, end);
  const part = line.slice(0, start).split(SEPARATOR).length;
  const message = `part ${part} (\`${number}\`, column ${start + 1}): a comma separates parts; decimals have a dot`;
  const rest = /^\s*%/.test(line.slice(end)) ? '%' : '';
  return new Complaint(message, EXPECTED_CONTRACT, `${number.replace(',', '.')}${rest}`);
}

function partOf(text: string, column: number): ContractPart | Complaint {
  const [, said = text, named] = /^(.*?)(?:\s+on\s+(\S.*))?$/is.exec(text) ?? [];
  const endpoint = named?.replaceAll(/\s+/g, ' ');
  if (/(^|\s)on$/i.test(said)) return new Complaint('`on` names no endpoint', 'an endpoint, such as `on POST /checkout`');
  if (endpoint !== undefined && endpoint.length > MAX_ENDPOINT_CHARS)
    return new Complaint(`an endpoint of more than ${MAX_ENDPOINT_CHARS} characters`, EXPECTED_CONTRACT);
  if (endpoint !== undefined && EVERYTHING.test(endpoint))
    return new Complaint(`\`on ${endpoint}\` would be an endpoint of that name`, 'no `on` where the whole service is meant', said);
  const [, promise, otherwise] = endpoint === undefined ? (PLACE.exec(said) ?? []) : [];
  if (otherwise !== undefined) return new Complaint('an endpoint stands behind `on`', EXPECTED_CONTRACT, `${promise} on ${otherwise}`);
  const [, timeless] = TIME.exec(said) ?? [];
  if (timeless !== undefined && !(objectiveOf(withSigns(timeless)) instanceof Complaint))
    return new Complaint('the line says no time', 'the promise alone, and its time as `window` in the file', timeless);
  const objective = objectiveOf(withSigns(said));
  if (objective instanceof Complaint) return objective;
  return { objective, endpoint: endpoint ?? null, column };
}

/** `p95 < 500ms on GET /a, GET /b`: the second stands alone. */
function endpointAlone(text: string, before: string | undefined): Complaint | null {
  if (!/^(?:[A-Z]+\s+)?\/\S*$/i.test(text)) return null;
  const promise = before?.replace(/\s+on\s.*$/is, '').trim();
  return new Complaint('an endpoint without a promise', EXPECTED_CONTRACT, promise ? `${promise} on ${text}` : undefined);
}

const EVERYTHING = /^(?:all|every|everything|each|any)(?:\s+(?:endpoints?|requests?|routes?|of them))?$/i;
const PLACE = /^(.+?)\s+(?:for|of|at|in)\s+((?:[A-Z]+\s+)?\/\S*)$/i;
const TIME =
  /^(.+?)\s+(?:(?:(?:per|each|every|over|in|within)\s+)?(?:(?:the|a|any|last|calendar|rolling)\s+)*(?:\d+\s*(?:d|days?|w|weeks?|h|hours?)|day|week|month|quarter|year)|daily|weekly|monthly|quarterly|yearly)$/i;

/** Before signs are looked for: names of percentiles, and what people say after them. */
const NAMES: readonly [RegExp, string][] = [
  [/^(\d+(?:\.\d+)?)(?:st|nd|rd|th)[ -]percentile(?: of)?(?=\s|$)/i, 'p$1'],
  [/^median(?=\s|$)/i, 'p50'],
  [/^(p\s?\d+(?:\.\d+)?)\s+(?:latency|latencies|response times?|duration)(?=[\s<>=≤:]|$)/i, '$1'],
  [/(\d)\s*(?:percent|per cent|pct)(?=\s|$)/gi, '$1%'],
];

const WORDS: readonly [RegExp, string][] = [
  [/\s(?:is\s+)?(?:less than|lower than|under|below|within|at most|up to)\s/gi, ' < '],
  [/\s(?:is\s+)?(?:more than|higher than|over|above|at least)\s/gi, ' > '],
  [/≤|=</g, '<='],
  [/≥|=>/g, '>='],
];

function withSigns(text: string): string {
  const named = NAMES.reduce((said, [pattern, name]) => said.replace(pattern, name), text.trim());
  return WORDS.reduce((said, [pattern, sign]) => said.replaceAll(pattern, sign), named)
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const NUMBER = '\\d+(?:\\.\\d+)?';
const AVAILABLE = 'available|availability|uptime|success(?:[ _-]?(?:rate|ratio))?';
const SHARE = new RegExp(`^(?:(?:${AVAILABLE})\\s*[:=]?\\s*)?(?:>=?\\s*)?(${NUMBER})\\s*(%?)\\s*(?:${AVAILABLE})?$`, 'i');
const ERRORS = /^(?:(?:error|failure)[ _-]?(?:rate|ratio)|errors?|failures?)\s*:?\s*([<>]=?)?\s*(\d.*)$/i;
const LATENCY = /^(?:latency\s*:?\s*|response times?\s*:?\s*)?(p\s?\d.*?)\s*([<>]=?)\s*(\S.*)$/i;
const THROUGHPUT = /^(?:throughput|rate|traffic)\s*:?\s*(.*)$/i;
const IN_FLIGHT = /^(?:in[ -]?flight|inflight|concurrency)(?:\s+requests)?\s*:?\s*(.*)$/i;
const UPPER_AVAILABILITY = new RegExp(`^(?:${AVAILABLE})\\s*<=?\\s*(${NUMBER})\\s*%?$`, 'i');
const KNOWN = ['availability', 'available', 'uptime', 'errors', 'error rate', 'throughput', 'in flight', 'concurrency', 'p95'];

function objectiveOf(text: string): ParsedObjective | Complaint {
  const latency = LATENCY.exec(text);
  if (latency !== null) {
    const [, quantile = '', sign = '', limit = ''] = latency;
    return parseLatency(`${quantile.replaceAll(/\s/g, '').toLowerCase()} ${sign} ${tidyDuration(limit)}`);
  }
  const errors = ERRORS.exec(text);
  if (errors !== null) return errorsOf(errors[1], errors[2] ?? '');
  const rate = THROUGHPUT.exec(text);
  if (rate !== null) return withSubject('throughput', parseThroughput(rate[1] ?? ''));
  const inFlight = IN_FLIGHT.exec(text);
  if (inFlight !== null) return withSubject('in flight', parseInFlight(inFlight[1] ?? ''));
  const share = SHARE.exec(text);
  if (share !== null) return parseAvailability(`${share[1]}${share[2]}`);
  return unknownPart(text);
}

function errorsOf(sign: string | undefined, limit: string): ParsedObjective | Complaint {
  const tidy = limit.replaceAll(/\s/g, '');
  if (sign?.startsWith('>') === true) {
    return new Complaint('an error rate is an upper limit', EXPECTED_CONTRACT, `errors < ${tidy}`);
  }
  return withSubject('errors', parseErrorRate(`${sign ?? ''} ${tidy}`));
}

/** Suggestions of the fields lack the word in front. */
function withSubject(subject: string, parsed: ParsedObjective | Complaint): ParsedObjective | Complaint {
  if (!(parsed instanceof Complaint)) return parsed;
  return new Complaint(parsed.message, parsed.expected, parsed.suggestion && `${subject} ${parsed.suggestion}`);
}

function unknownPart(text: string): Complaint {
  const upper = UPPER_AVAILABILITY.exec(text);
  if (upper !== null) return new Complaint('an availability is a lower limit', EXPECTED_CONTRACT, `${upper[1]}%`);
  const message = 'not an objective';
  const percentile = new RegExp(`^(${NUMBER})\\s*%[^<]*<=?\\s*(${NUMBER}\\s*[a-zµ]+)$`, 'i').exec(text);
  if (percentile !== null)
    return new Complaint(
      'a percentile is written with its `p`',
      EXPECTED_CONTRACT,
      `p${percentile[1]} < ${tidyDuration(percentile[2] ?? '')}`,
    );
  const unsigned = new RegExp(`^p\\s?(${NUMBER})\\s*[:=]?\\s*(${NUMBER}\\s*[a-zµμ]+)$`, 'i').exec(text);
  if (unsigned !== null) {
    const said = `p${unsigned[1]} < ${tidyDuration(unsigned[2] ?? '')}`;
    return new Complaint('a latency objective needs its `<`', EXPECTED_CONTRACT, said);
  }
  const failing = new RegExp(
    `^(?:<=?|less than|at most|max\\.?)?\\s*(${NUMBER})\\s*%\\s*(?:errors?|failures?|error rate|failed)$`,
    'i',
  ).exec(text);
  if (failing !== null) return new Complaint('what is less stands before the sign', EXPECTED_CONTRACT, `errors < ${failing[1]}%`);
  const rate = new RegExp(`^(?:requests?\\s*)?([<>]=?)?\\s*(${NUMBER})\\s*((?:requests|reqs?)?\\s*/\\s*[a-z]+|rps|rpm)$`, 'i').exec(text);
  if (rate !== null) {
    const said = `throughput ${rate[1] ?? '>'} ${rate[2]}${rate[3]}`;
    return new Complaint('what is counted is missing', EXPECTED_CONTRACT, said);
  }
  const bare = new RegExp(`^<=?\\s*(${NUMBER})\\s*(\\S+)$`).exec(text);
  if (bare !== null) {
    const [, digits = '', unit = ''] = bare;
    return new Complaint(
      'what is to be less is missing',
      EXPECTED_CONTRACT,
      unit === '%' ? `errors < ${digits}%` : `p95 < ${digits}${unit}`,
    );
  }
  const [, word = '', rest = ''] = /^([a-z][a-z _-]*?)\s*([<>\d].*)?$/i.exec(text) ?? [];
  const near = nearestName(word, KNOWN);
  return new Complaint(message, EXPECTED_CONTRACT, near && near !== word ? `${near} ${rest}`.trim() : undefined);
}
