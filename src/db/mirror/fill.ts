import type { Json } from '../../domain/json.ts';
import { quoteIdent } from '../../domain/names.ts';
import type { Transaction } from '../connection/database.ts';
import { guarded } from '../connection/guarded.ts';
import { encodeTexts, encodeValue } from './encode.ts';
import { decodeExtra, extraKey } from './extra.ts';
import type { MirrorColumn, MirrorTable } from './table.ts';

const BATCH = 2000;
/** Looking for rows that refuse it takes no longer: the table is held meanwhile. */
const ISOLATION_MS = 10_000;

interface ExtraRow {
  id: string;
  extra: Readonly<Record<string, Json>>;
}

/**
 * Moves the values of new columns from `_extra`, where they were kept while there was no column,
 * by the very rules that a read follows. For the transaction that adds the columns: it holds the
 * table, so nobody's row lock is in the way. A row that something refuses keeps its values there,
 * and is told of when it is read again; so does one whose user has written such a field since.
 * Safe to run twice.
 */
export async function fillFromExtra(
  tx: Transaction,
  table: MirrorTable,
  columns: readonly MirrorColumn[],
): Promise<void> {
  if (columns.length === 0) return;
  const keys = columns.map(({ field }) => extraKey(field.name));
  // At the commit nobody could tell which row it was, and nobody alters a table until then.
  await tx.query('SET CONSTRAINTS ALL IMMEDIATE');
  const isolating = { ...tx, isolatesUntilMs: performance.now() + ISOLATION_MS };
  let lastId: string | null = null;
  for (;;) {
    const rows: ExtraRow[] = await tx.query<ExtraRow>(
      `SELECT t.id, t._extra AS extra FROM ${table.qualified} AS t
        WHERE t._extra ?| $1::text[] AND ($2::text IS NULL OR t.id > $2)
          AND NOT EXISTS (SELECT FROM {sync}.outbox AS o
                           WHERE o.object = $3 AND o.record_id = t.id AND o.changes ?| $4::text[]
                             AND o.state IN ('pending', 'sending', 'parked'))
        ORDER BY t.id LIMIT ${BATCH}`,
      [keys, lastId, table.object, columns.map(({ field }) => field.name)],
    );
    await guarded(isolating, table.qualified, rows, (part) =>
      moveValues(tx, { table, columns, rows: part }),
    );
    lastId = rows.at(-1)?.id ?? null;
    if (rows.length < BATCH) return;
  }
}

async function moveValues(
  tx: Transaction,
  batch: {
    readonly table: MirrorTable;
    readonly columns: readonly MirrorColumn[];
    readonly rows: readonly ExtraRow[];
  },
): Promise<void> {
  const { table, columns } = batch;
  const ids: string[] = [];
  const movedKeys: string[] = [];
  const values: (string | null)[][] = columns.map(() => []);
  for (const { id, extra } of batch.rows) {
    const moved: string[] = [];
    for (const [position, column] of columns.entries()) {
      const key = extraKey(column.field.name);
      const kept = Object.hasOwn(extra, key) ? extra[key] : undefined;
      const encoded = kept === undefined ? null : encodeValue(column, decodeExtra(kept));
      const text = encoded !== null && 'text' in encoded ? encoded.text : null;
      if (text !== null) moved.push(key);
      values[position]?.push(text);
    }
    ids.push(id);
    movedKeys.push(encodeTexts(moved));
  }
  if (ids.length === 0) return;
  const names = columns.map((_, position) => `v${position}`);
  const assignments = columns.map(({ column, sqlType }, position) => {
    const name = quoteIdent(column);
    return `${name} = coalesce(v.${names[position]}::${sqlType}, t.${name})`;
  });
  const parameters = names.map((_, position) => `$${position + 3}::text[]`);
  await tx.query(
    `UPDATE ${table.qualified} AS t
        SET _extra = nullif(t._extra - v.keys::text[], '{}'), ${assignments.join(', ')}
       FROM unnest($1::text[], $2::text[], ${parameters.join(', ')}) AS v(id, keys, ${names.join(', ')})
      WHERE t.id = v.id AND v.keys <> '{}'`,
    [ids, movedKeys, ...values],
  );
}
