/** What changed between two texts, line by line, as `diff` shows it. */

export interface ChangedLine {
  readonly sign: '+' | '-';
  /** From 1: in the new text for `+`, in the old one for `-`. */
  readonly line: number;
  readonly text: string;
}

/** Longer stretches are shown as taken out and put in whole. */
const MAX_COMPARED = 2000;

/** Lines that went and came, in order; by the longest common subsequence between the first and the last difference. */
export function changedLines(before: string, after: string): readonly ChangedLine[] {
  const [old, young] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < old.length && head < young.length && old[head] === young[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < young.length - head && old.at(-1 - tail) === young.at(-1 - tail)) tail++;
  const gone = old.slice(head, old.length - tail);
  const come = young.slice(head, young.length - tail);
  const changed: ChangedLine[] = [];
  const common = gone.length > MAX_COMPARED || come.length > MAX_COMPARED ? null : commonLengths(gone, come);
  let [from, to] = [0, 0];
  while (from < gone.length || to < come.length) {
    if (common !== null && from < gone.length && to < come.length && gone[from] === come[to]) {
      from++;
      to++;
    } else if (
      from < gone.length &&
      (to === come.length || common === null || lengthAt(common, from + 1, to) >= lengthAt(common, from, to + 1))
    ) {
      changed.push({ sign: '-', line: head + from + 1, text: gone[from++] ?? '' });
    } else changed.push({ sign: '+', line: head + to + 1, text: come[to++] ?? '' });
  }
  return changed;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
}

/** Length of the longest common subsequence of the rests from each pair of lines on. */
function commonLengths(gone: readonly string[], come: readonly string[]): readonly Uint16Array[] {
  const lengths = Array.from({ length: gone.length + 1 }, () => new Uint16Array(come.length + 1));
  for (let from = gone.length - 1; from >= 0; from--) {
    const row = lengths[from] as Uint16Array;
    for (let to = come.length - 1; to >= 0; to--) {
      row[to] =
        gone[from] === come[to]
          ? lengthAt(lengths, from + 1, to + 1) + 1
          : Math.max(lengthAt(lengths, from + 1, to), lengthAt(lengths, from, to + 1));
    }
  }
  return lengths;
}

function lengthAt(lengths: readonly Uint16Array[], from: number, to: number): number {
  return lengths[from]?.[to] ?? 0;
}
