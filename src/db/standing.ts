import type { Database } from './connection/database.ts';
import { CURSOR, type Cursor, makeCursor } from './position/cursor.ts';
import { RECONCILE_STATE, type ReconcileState } from './reconcile/state.ts';

/** How an object stands before it is pulled. */
export interface Standing {
  readonly cursor: Cursor;
  /** Fields whose column came to rows that stood, and that are to be read again; null where none. */
  readonly unfilled: readonly string[] | null;
  /** Something was put aside, due or not. */
  readonly aside: boolean;
  /** Records of the workspace have had other ids. */
  readonly renamed: boolean;
  /** What is known of deletions, and of comparisons. */
  readonly reconcile: ReconcileState;
}

type Row = Cursor & ReconcileState & Omit<Standing, 'cursor' | 'reconcile'>;

/**
 * How objects stand: all that a pull has to know before it asks the CRM, by one statement for all that
 * are pulled at the same time. Primary keys, and index `run_latest`; no lock, and no mirror table, which
 * somebody may hold. A cursor is made where there is none.
 */
export async function readStandings(
  db: Database,
  objects: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  const rows = await db.repeated<Row & Record<string, unknown>>(
    `SELECT ${CURSOR}, ${RECONCILE_STATE},
            (SELECT array_agg(f.field ORDER BY f.position)
               FROM {sync}.mirror_column AS f
               JOIN {sync}.mirror AS m ON m.object = f.object AND m.removed_at IS NULL
              WHERE f.object = c.object AND f.removed_at IS NULL
                AND f.definition @> '{"unfilled": true}') AS unfilled,
            EXISTS (SELECT FROM {sync}.deferred AS d WHERE d.object = c.object) AS aside,
            EXISTS (SELECT FROM {sync}.id_map) AS renamed
       FROM {sync}.cursor AS c WHERE object = ANY($1::text[])`,
    [objects],
  );
  const standings = new Map(rows.map((row) => [row.object, toStanding(row)]));
  const missing = objects.filter((object) => !standings.has(object));
  if (missing.length === 0) return standings;
  for (const object of missing) await makeCursor(db, object);
  return new Map([...standings, ...(await readStandings(db, missing))]);
}

/** {@link readStandings} of one. */
export async function readStanding(db: Database, object: string): Promise<Standing> {
  const standing = (await readStandings(db, [object])).get(object);
  if (standing === undefined) throw new Error(`${object} has no cursor`);
  return standing;
}

function toStanding({ unfilled, aside, renamed, ...row }: Row): Standing {
  return { cursor: row, reconcile: row, unfilled, aside, renamed };
}
