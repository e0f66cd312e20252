/** A small table of plain text. */
import { displayWidth, shortened, visible } from './safe-text.ts';

/** Header and rows as lines, columns aligned left, two blanks between them; cells are made visible, and cut where they are wider than `maxWidth`. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[], maxWidth: number): string[] {
  const cells = [header, ...rows].map((row) => header.map((_, column) => shortened(visible(row[column] ?? ''), maxWidth)));
  const widths = header.map((_, column) => cells.reduce((width, row) => Math.max(width, displayWidth(row[column] ?? '')), 0));
  return cells.map((row) =>
    row
      .map((text, column) => text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(text))))
      .join('  ')
      .trimEnd(),
  );
}
