import type { AsideRow } from '../../db/rows/aside-review.ts';
import { showPlural } from '../quantity.ts';
import { renderTable } from '../table.ts';
import { printable, type Screen } from '../terminal.ts';

const COLUMNS = [
  { title: 'aside' },
  { title: 'object' },
  { title: 'record', least: 12 },
  { title: 'tries', align: 'right', spare: 1 },
  { title: 'table', least: 12 },
  { title: 'constraint', least: 8 },
  { title: 'why', least: 21 },
] as const;

/** Rows that cannot be written as their records are; nothing where there are none. */
export function renderAside(rows: readonly AsideRow[], total: number, screen: Screen): string[] {
  if (rows.length === 0) return [];
  const table = rows.map((row) => [
    screen.paint('yellow', row.kind),
    printable(row.object),
    printable(row.id),
    String(row.attempts),
    printable(row.table),
    printable(row.constraint ?? ''),
    row.sqlState === null ? printable(row.reason) : printable(`${row.reason} (${row.sqlState})`),
  ]);
  const more = total - rows.length;
  const rest = more > 0 ? [`and ${showPlural(more, 'more', 'more')}: --limit shows them`] : [];
  return ['', 'rows put aside', ...renderTable(COLUMNS, table, screen), ...rest];
}

export function nextForAside(rows: readonly AsideRow[]): string | null {
  return rows.length === 0
    ? null
    : 'mend what refuses the rows, see `clarify-sync doctor`; then `clarify-sync sync` heals them at once';
}
