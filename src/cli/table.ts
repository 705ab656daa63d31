import { stripVTControlCharacters } from 'node:util';
import type { Screen } from './terminal.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Columns a reader can do without, where the screen is narrow: the lowest number goes first. */
  readonly spare?: number;
  /** Cut to no less than this, where the screen is narrow still. */
  readonly least?: number;
  /** Goes on below itself where it does not fit; for the last column. */
  readonly wraps?: boolean;
}

type Rows = readonly (readonly string[])[];

/** A column with its cells, title first. */
interface Laid {
  readonly column: Column;
  readonly cells: readonly string[];
  readonly width: number;
}

const GAP = '  ';
/** Less is no column any more. */
const LEAST_WRAPPED = 20;

const PLAIN = /^[ -~]*$/;

/** What each takes a place on the screen. Node reads its tables of languages for the first that is not plain, for 10 ms. */
function symbolsOf(text: string): readonly string[] {
  const shown = stripVTControlCharacters(text);
  if (PLAIN.test(shown)) return shown.split('');
  return Array.from(new Intl.Segmenter('en').segment(shown), ({ segment }) => segment);
}

function lengthOf(text: string): number {
  return symbolsOf(text).length;
}

function totalOf(laid: readonly Laid[]): number {
  return laid.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length);
}

/** A table as lines, columns aligned, none wider than the screen. Cells may be coloured. */
export function renderTable(columns: readonly Column[], rows: Rows, screen: Screen): string[] {
  const laid = columns.map((column, index) => {
    const cells = [column.title, ...rows.map((row) => row[index] ?? '')];
    return { column, cells, width: Math.max(...cells.map(lengthOf)) };
  });
  const fitting = narrow(withoutSpare(laid, screen.width), screen.width);
  const lines = ['', ...rows].map((_, index) => lineOf(fitting, index));
  return lines.flatMap((line, index) =>
    index === 0 ? line.map((text) => screen.paint('dim', text)) : line,
  );
}

function withoutSpare(laid: readonly Laid[], width: number): readonly Laid[] {
  if (totalOf(laid) <= width) return laid;
  const spare = laid.flatMap(({ column }) => column.spare ?? []);
  const next = Math.min(...spare);
  if (spare.length === 0) return laid;
  return withoutSpare(
    laid.filter(({ column }) => column.spare !== next),
    width,
  );
}

/** Takes what is too much from the widest columns first. */
function narrow(laid: readonly Laid[], width: number): readonly Laid[] {
  const least = ({ column, width: own }: Laid) =>
    Math.min(own, column.wraps === true ? LEAST_WRAPPED : (column.least ?? own));
  const excess = totalOf(laid) - width;
  const widest = laid
    .filter((each) => each.width > least(each))
    .toSorted((a, b) => b.width - a.width)[0];
  if (excess <= 0 || widest === undefined) return laid;
  const narrower = { ...widest, width: Math.max(least(widest), widest.width - excess) };
  return narrow(
    laid.map((each) => (each === widest ? narrower : each)),
    width,
  );
}

function lineOf(laid: readonly Laid[], index: number): string[] {
  const parts = laid.map(({ column, cells, width }) => {
    const text = cells[index] ?? '';
    return column.wraps === true ? wrapped(text, width) : [cut(text, width)];
  });
  const height = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: height }, (_, row) =>
    laid
      .map(({ column, width }, at) => pad(parts[at]?.[row] ?? '', width, column.align))
      .join(GAP)
      .trimEnd(),
  );
}

function pad(text: string, width: number, align: Column['align']): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return align === 'right' ? space + text : text + space;
}

/** No longer than `width`. What is cut loses its colour: half an escape sequence would colour the rest of the screen. */
export function cut(text: string, width: number): string {
  if (lengthOf(text) <= width) return text;
  return `${symbolsOf(text)
    .slice(0, width - 1)
    .join('')}…`;
}

function wrapped(text: string, width: number): string[] {
  if (lengthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || lengthOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}
