/** Which endpoints a pattern of an objective means: exact text, `*` within a path segment or word, `**` anything. */

/** `*` and `**` in a pattern; every other character stands for itself. */
type Token = string | typeof WITHIN | typeof ANYTHING;
const WITHIN = 1;
const ANYTHING = 2;

/**
 * True when `pattern` matches all of `endpoint`. `*` stands for any run of characters, also none, without `/` and space; `**` for any run at
 * all. Case counts. `GET /reports/**` matches `GET /reports/daily/1`, not `GET /reports`. Takes time proportional to length times length,
 * whatever the pattern: no backtracking.
 */
export function endpointMatches(pattern: string, endpoint: string): boolean {
  if (!pattern.includes('*')) return pattern === endpoint;
  const tokens = tokensOf(pattern);
  let reached = skipped(tokens, new Set([0]));
  for (const char of endpoint) {
    const next = new Set<number>();
    for (const state of reached) {
      const token = tokens[state];
      if (token === ANYTHING || (token === WITHIN && !isSeparator(char))) next.add(state);
      else if (token === char) next.add(state + 1);
    }
    if (next.size === 0) return false;
    reached = skipped(tokens, next);
  }
  return reached.has(tokens.length);
}

/** True when some endpoint matches both patterns. Time: product of their lengths. */
export function patternsOverlap(a: string, b: string): boolean {
  const aStar = a.indexOf('*');
  const bStar = b.indexOf('*');
  if (aStar < 0) return endpointMatches(b, a);
  if (bStar < 0) return endpointMatches(a, b);
  // Most patterns differ before their first star already.
  const common = Math.min(aStar, bStar);
  if (a.slice(0, common) !== b.slice(0, common)) return false;
  const left = tokensOf(a);
  const right = tokensOf(b);
  const width = right.length + 1;
  const seen = new Set<number>([0]);
  for (const state of seen) {
    const i = Math.floor(state / width);
    const j = state % width;
    const x = left[i];
    const y = right[j];
    if (x === undefined && y === undefined) return true;
    const xStar = x === WITHIN || x === ANYTHING;
    const yStar = y === WITHIN || y === ANYTHING;
    // A star may end here, or take what the other side asks for.
    if (xStar) seen.add((i + 1) * width + j);
    if (yStar) seen.add(i * width + j + 1);
    if (xStar && typeof y === 'string' && accepts(x, y)) seen.add(i * width + j + 1);
    if (yStar && typeof x === 'string' && accepts(y, x)) seen.add((i + 1) * width + j);
    if (typeof x === 'string' && x === y) seen.add((i + 1) * width + j + 1);
  }
  return false;
}

function accepts(star: typeof WITHIN | typeof ANYTHING, char: string): boolean {
  return star === ANYTHING || !isSeparator(char);
}

function isSeparator(char: string): boolean {
  return char === '/' || char === ' ';
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (const char of pattern) {
    if (char !== '*') tokens.push(char);
    else if (tokens.at(-1) === WITHIN) tokens[tokens.length - 1] = ANYTHING;
    else tokens.push(WITHIN);
  }
  return tokens;
}

/** The states and those behind stars that match nothing. */
function skipped(tokens: readonly Token[], states: Set<number>): Set<number> {
  for (const state of states) {
    const token = tokens[state];
    if (token === WITHIN || token === ANYTHING) states.add(state + 1);
  }
  return states;
}
