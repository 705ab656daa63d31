import { stripVTControlCharacters } from 'node:util';
import type { Paint } from './terminal.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

const graphemes = new Intl.Segmenter('en');

function width(text: string): number {
  return Array.from(graphemes.segment(stripVTControlCharacters(text))).length;
}

function pad(text: string, columns: number, align: Column['align']): string {
  const space = ' '.repeat(Math.max(0, columns - width(text)));
  return align === 'right' ? space + text : text + space;
}

/** A table as lines, columns aligned, the last one not padded. Cells may be coloured. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(width(title), ...rows.map((row) => width(row[index] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => pad(cells[index] ?? '', widths[index] ?? 0, align))
      .join(GAP)
      .trimEnd();
  const head = line(columns.map(({ title }) => title));
  return [paint('dim', head), ...rows.map(line)];
}
