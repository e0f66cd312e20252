/** The valid name a typo was meant to be. */

const MAX_DISTANCE = 2;
/** Longer names are no typos of ours, and comparing costs length squared. */
const MAX_CHARS = 64;

/**
 * The name nearest to `typo` among `names`, at most 2 single-character edits away (case does not count), or undefined. Short names must share
 * more than half of their letters, so that `on` does not stand for `p50`. Ties go to the earlier name.
 */
export function nearestName(typo: string, names: Iterable<string>): string | undefined {
  if (typo.length > MAX_CHARS) return undefined;
  let best: string | undefined;
  let bestDistance = MAX_DISTANCE + 1;
  for (const name of names) {
    if (Math.abs(name.length - typo.length) > MAX_DISTANCE) continue;
    const distance = editDistance(typo.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance && distance * 2 < Math.max(name.length, typo.length)) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance: insertions, deletions and substitutions from `a` to `b`. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substituted = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? a.length;
}
