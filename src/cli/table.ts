import { stripVTControlCharacters } from 'node:util';
import { cut, lengthOf, wrapped } from './fit.ts';
import type { Screen } from './terminal.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Columns a reader can do without, where the screen is narrow: the lowest number goes first. */
  readonly spare?: number;
  /** Likewise, while every cell of it is 0. */
  readonly spareZero?: number;
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
  const spare = laid.flatMap((one) => spareOf(one) ?? []);
  const next = Math.min(...spare);
  if (spare.length === 0) return laid;
  return withoutSpare(
    laid.filter((one) => spareOf(one) !== next),
    width,
  );
}

function spareOf({ column, cells }: Laid): number | undefined {
  const isZero = cells.every((cell, row) => row === 0 || stripVTControlCharacters(cell) === '0');
  return column.spare ?? (isZero ? column.spareZero : undefined);
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
