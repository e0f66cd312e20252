/** Text that is safe to show and measured for a terminal: names out of spans may carry anything. */

/** Controls (C0, DEL, C1), marks that hide or reorder text, and lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** With every character that could move the cursor, forge a line or turn text around written as `\u{1b}`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

const CLUSTERS = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** East Asian wide and fullwidth forms, and what is drawn as a picture. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])|\ufe0f/u;

/** Columns `text` takes on a terminal; it must be `visible`. */
export function displayWidth(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: nearly all text is ASCII and needs no segmenting.
  if (/^[\x00-\x7f]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of CLUSTERS.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** Cut to at most `width` columns, with `…` where something is missing. */
export function shortened(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of CLUSTERS.segment(text)) {
    used += WIDE.test(segment) ? 2 : 1;
    if (used > width) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept}…`;
}

/** Broken between words into lines of at most `width` columns, those after the first beginning with `indent`; a longer word stays whole. */
export function wrapped(text: string, width: number, indent: string): string[] {
  if (displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  let isFresh = true;
  // Blanks inside a line are kept: they may align it with others.
  for (const part of text.split(/(?<=\S)(?= )/)) {
    if (!isFresh && displayWidth(line + part) > width) {
      lines.push(line);
      line = indent + part.trimStart();
    } else line += part;
    isFresh = false;
  }
  return [...lines, line];
}
