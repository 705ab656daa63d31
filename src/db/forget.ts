import { quoteIdent } from '../domain/names.ts';
import { eraseActivities } from './activities/rows.ts';
import type { Database, Sql } from './connection/database.ts';
import { eraseSides } from './side/forget.ts';

/** What was erased of a record, or would be. */
export interface Forgotten {
  /** Every id it has had: these stay, in `id_map` and as the ids of tombstones. */
  readonly ids: readonly string[];
  /** Tombstones whose record was erased. */
  readonly tombstones: number;
  /** Versions in the history. */
  readonly versions: number;
  /** Settled outbox entries. */
  readonly changes: number;
  /** Resolved conflicts. */
  readonly conflicts: number;
  /** Versions that were read while its row was held. */
  readonly deferred: number;
  /** What the CRM told of its past. */
  readonly activities: number;
  /** Recordings of a meeting, and what was said in them. */
  readonly recordings: number;
  /** Rows of attachments, comments, lists and campaigns. */
  readonly sides: number;
  /** Rows taken away, of an object that is no longer mirrored. */
  readonly rows: number;
  /** What is left, for it is still in use. */
  readonly left: {
    /** Its row stands, and so does the version of the history that says the same. */
    readonly rows: number;
    /** Changes that have yet to be sent, or decided. */
    readonly changes: number;
    /** Conflicts that nobody has decided. */
    readonly conflicts: number;
  };
}

/** Ends a transaction whose only purpose was to count. */
class OnlyCounted extends Error {
  readonly found: Forgotten;
  constructor(found: Forgotten) {
    super('only counted');
    this.found = found;
  }
}

/**
 * Erases everything that is kept of a record besides its row: of what is gone, nothing but ids
 * remains. One transaction; safe to repeat. With `dry`, the same is found and nothing is erased.
 *
 * @returns null where no record of the object has, or had, that id.
 */
export async function forgetRecord(
  db: Database,
  wanted: { readonly object: string; readonly id: string; readonly dry: boolean },
): Promise<Forgotten | null> {
  try {
    return await db.transaction(
      async (tx) => {
        const found = await erase(tx, wanted.object, wanted.id);
        if (wanted.dry && found !== null) throw new OnlyCounted(found);
        return found;
      },
      { asWriter: true },
    );
  } catch (error) {
    if (error instanceof OnlyCounted) return error.found;
    throw error;
  }
}

async function erase(tx: Sql, object: string, id: string): Promise<Forgotten | null> {
  const ids = await readIds(tx, object, id);
  const tables = await readTables(tx, object);
  const key = [object, ids];
  const removed = tables.removed
    ? await run(tx, `DELETE FROM ${tables.mirror} WHERE id = ANY($1) RETURNING 1`, [ids])
    : 0;
  const live =
    tables.mirror === null
      ? 0
      : await run(tx, `SELECT FROM ${tables.mirror} WHERE id = ANY($1)`, [ids]);
  const versions =
    tables.history === null
      ? 0
      : await run(
          tx,
          `DELETE FROM ${tables.history}
            WHERE (id = ANY($1) OR _local_id = ANY($1)) AND (_valid_to IS NOT NULL OR $2::integer = 0) RETURNING 1`,
          [ids, live],
        );
  const known = await run(
    tx,
    'SELECT FROM {sync}.tombstone WHERE object = $1 AND id = ANY($2)',
    key,
  );
  // Not null: what the feed of deletions tells again must not fill it.
  const tombstones = await run(
    tx,
    `UPDATE {sync}.tombstone SET record = '{}'
      WHERE object = $1 AND id = ANY($2) AND record <> '{}' RETURNING 1`,
    key,
  );
  await run(tx, 'DELETE FROM {sync}.record_digest WHERE object = $1 AND id = ANY($2)', key);
  // Entries of links hold ids alone, and whoever reads links has yet to see them.
  const changes = await run(
    tx,
    `DELETE FROM {sync}.outbox
      WHERE object = $1 AND record_id = ANY($2) AND done_at IS NOT NULL AND op NOT IN ('link', 'unlink') RETURNING 1`,
    key,
  );
  const conflicts = await run(
    tx,
    `DELETE FROM {sync}.conflict
      WHERE object = $1 AND record_id = ANY($2) AND resolved_at IS NOT NULL RETURNING 1`,
    key,
  );
  const deferred =
    live > 0
      ? 0
      : await run(
          tx,
          'DELETE FROM {sync}.deferred WHERE object = $1 AND id = ANY($2) RETURNING 1',
          key,
        );
  const recordings =
    live > 0 || object !== 'meeting'
      ? 0
      : await run(
          tx,
          'DELETE FROM {sync}.meeting_recording WHERE meeting_id = ANY($1) RETURNING 1',
          [ids],
        );
  const activities = live > 0 ? 0 : await eraseActivities(tx, object, ids);
  const sides = live > 0 ? 0 : await eraseSides(tx, object, ids);
  const left = {
    rows: live,
    changes: await run(
      tx,
      `SELECT FROM {sync}.outbox
        WHERE object = $1 AND record_id = ANY($2) AND done_at IS NULL AND op NOT IN ('link', 'unlink')`,
      key,
    ),
    conflicts: await run(
      tx,
      'SELECT FROM {sync}.conflict WHERE object = $1 AND record_id = ANY($2) AND resolved_at IS NULL',
      key,
    ),
  };
  const counts = {
    rows: removed,
    tombstones,
    versions,
    changes,
    conflicts,
    deferred,
    activities,
    recordings,
    sides,
  };
  const found = [...Object.values(counts), ...Object.values(left), known, ids.length - 1];
  return found.some((count) => count > 0) ? { ids, ...counts, left } : null;
}

async function run(tx: Sql, text: string, values: readonly unknown[]): Promise<number> {
  return (await tx.query(text, values)).length;
}

/**
 * Every id the record has had: those it was born with and those that were merged into it. A record
 * that was itself merged into another ends there, for the other one lives on.
 */
async function readIds(tx: Sql, object: string, id: string): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `WITH RECURSIVE now(id) AS (
       SELECT $2::text
        UNION
       SELECT m.id FROM now JOIN {sync}.id_map AS m
           ON m.object = $1 AND m.old_id = now.id AND m.reason <> 'merged'
     ), every(id) AS (
       SELECT id FROM now
        UNION
       SELECT m.old_id FROM every JOIN {sync}.id_map AS m ON m.object = $1 AND m.id = every.id
     )
     SELECT id FROM every ORDER BY id`,
    [object, id],
  );
  return rows.map((row) => row.id);
}

interface Tables {
  /** Quoted; null where somebody dropped it. */
  readonly mirror: string | null;
  readonly history: string | null;
  /** Nobody can delete a row of it any more. */
  readonly removed: boolean;
}

async function readTables(tx: Sql, object: string): Promise<Tables> {
  const [row] = await tx.query<{
    name: string;
    mirror: boolean;
    history: boolean;
    removed: boolean;
  }>(
    `SELECT table_name AS name, removed_at IS NOT NULL AS removed,
            to_regclass(format('%I.%I', $2::text, table_name)) IS NOT NULL AS mirror,
            to_regclass(format('%I.%I', $3::text, table_name)) IS NOT NULL AS history
       FROM {sync}.mirror WHERE object = $1`,
    [object, tx.schemas.mirror, tx.schemas.history],
  );
  const of = (schema: string) => `"${schema}".${quoteIdent(row?.name ?? '')}`;
  return {
    mirror: row?.mirror ? of('{mirror}') : null,
    history: row?.history ? of('{history}') : null,
    removed: (row?.mirror && row.removed) ?? false,
  };
}
