import type { Database } from '../../src/db/connection/database.ts';

/** What a mirror table looks like from outside: column name → type. */
export async function columnsOf(db: Database, table: string): Promise<Map<string, string>> {
  const rows = await db.query<{ name: string; type: string }>(
    `SELECT attname::text AS name, format_type(atttypid, atttypmod) AS type
       FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'clarify'::regnamespace AND c.relname = $1
        AND attnum > 0 AND NOT attisdropped`,
    [table],
  );
  return new Map(rows.map(({ name, type }) => [name, type]));
}

/** Writes rows as the program does: triggers see the mark and let them pass. */
export async function asWriter(db: Database, statement: string): Promise<void> {
  await db.transaction((tx) => tx.query(statement), { asWriter: true });
}
