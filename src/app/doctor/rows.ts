import type { Sql } from '../../db/connection/database.ts';
import { describeTrouble } from '../../db/connection/row-trouble.ts';
import { type AsideCause, readAsideCauses, whatWaits } from '../../db/rows/aside-review.ts';
import type { Finding } from './check.ts';

/** Told one by one; whoever mends these sees the others next time. */
const MOST_CAUSES = 5;

/** Rows that cannot be written as their records are: by what, how many, and what to do. */
export async function checkRows(db: Sql, title: string): Promise<Finding> {
  const causes = await readAsideCauses(db);
  const [first] = causes;
  if (first === undefined) {
    return { state: 'ok', detail: 'none is kept from being as its record is', hint: null };
  }
  const told = causes.slice(0, MOST_CAUSES).map((cause) => describeCause(cause, title));
  const more = causes.length - told.length;
  const detail = [...told, ...(more > 0 ? [`and ${more} more causes`] : [])].join('; ');
  return { state: 'warn', detail, hint: hintFor(first, title) };
}

function describeCause(cause: AsideCause, title: string): string {
  return `${cause.rows} of ${cause.object} ${whatWaits(cause.kind, title)}: ${describeTrouble(cause)}`;
}

function hintFor({ sqlState, kind, code, table, constraint }: AsideCause, title: string): string {
  if (sqlState === '23503' && constraint !== null) {
    const options = kind === 'remove' ? 'ON DELETE CASCADE or SET NULL' : 'ON UPDATE CASCADE';
    return `give ${constraint} of ${table} ${options}, or take away what refers to the rows; they heal by themselves`;
  }
  if (constraint !== null) {
    return `drop ${constraint} of ${table}, or let it hold for what ${title} has; the rows heal by themselves`;
  }
  if (code === 'row-differs') {
    return `let the trigger on ${table} pass what ${title} has; the rows heal by themselves`;
  }
  return `mend what refuses them on ${table}; the rows heal by themselves, at once with \`clarify-sync sync\``;
}
