import type { DeletePolicy } from '../../domain/policy.ts';
import type { ObjectSchema } from '../../domain/schema.ts';
import type { Sql } from '../connection/database.ts';
import type { Step } from './plan-columns.ts';
import type { MirrorRecord } from './record.ts';

/** Puts tables and their columns on record. Repeatable; the caller holds the mirror lock. */
export async function writeRecords(tx: Sql, records: readonly MirrorRecord[]): Promise<void> {
  if (records.length === 0) return;
  await tx.query(
    `INSERT INTO {sync}.mirror
       (object, table_name, label_singular, label_plural, identity, refusal, read_only_links)
     SELECT m.object, m."table", m."labelSingular", m."labelPlural", m.identity, m.refusal, m."readOnlyLinks"
       FROM jsonb_to_recordset($1::jsonb)
         AS m(object text, "table" text, "labelSingular" text, "labelPlural" text, identity text,
              refusal text, "readOnlyLinks" text[])
         ON CONFLICT (object) DO UPDATE
        SET table_name = excluded.table_name, label_singular = excluded.label_singular,
            label_plural = excluded.label_plural, identity = excluded.identity,
            refusal = excluded.refusal, read_only_links = excluded.read_only_links,
            removed_at = NULL`,
    [JSON.stringify(records)],
  );
  const columns = records.flatMap((record) =>
    record.columns.map((column) => ({ object: record.object, ...column })),
  );
  await tx.query(
    `WITH told AS MATERIALIZED (
       SELECT * FROM jsonb_to_recordset($2::jsonb)
         AS c(object text, field text, "column" text, kind text, definition jsonb, position integer)
     ), gone AS (
       UPDATE {sync}.mirror_column AS o SET removed_at = now()
        WHERE o.object = ANY($1::text[]) AND o.removed_at IS NULL
          AND NOT EXISTS (SELECT FROM told WHERE told.object = o.object AND told.field = o.field)
     )
     INSERT INTO {sync}.mirror_column (object, field, column_name, kind, definition, position)
     SELECT object, field, "column", kind, definition, position FROM told
         ON CONFLICT (object, field) DO UPDATE
        SET column_name = excluded.column_name, kind = excluded.kind,
            definition = excluded.definition, position = excluded.position, removed_at = NULL`,
    [records.map(({ object }) => object), JSON.stringify(columns)],
  );
}

/** Puts on record which tables these objects have, in this database. Repeatable. */
export async function recordTables(
  tx: Sql,
  home: string,
  objects: readonly string[],
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.mirror AS m SET relation = $1 || '/' || c.oid
       FROM pg_class AS c
      WHERE m.object = ANY($2::text[]) AND c.relname = m.table_name
        AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $3)`,
    [home, objects, tx.schemas.mirror],
  );
}

/** A new table is empty, whatever was read into an earlier one: reading starts from nothing. */
export async function forgetProgress(tx: Sql, objects: readonly string[]): Promise<void> {
  if (objects.length === 0) return;
  await tx.query('DELETE FROM {sync}.cursor WHERE object = ANY($1::text[])', [objects]);
}

/**
 * Of link tables that are new, and empty, or were left alone while others were read: a sweep reads
 * them at once. Names of anything else are passed over.
 */
export async function forgetLinks(tx: Sql, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await tx.query(
    `UPDATE {sync}.sweep
        SET linked = ARRAY(SELECT name FROM unnest(linked) AS name WHERE name <> ALL($1::text[])),
            round_links = ARRAY(SELECT name FROM unnest(round_links) AS name WHERE name <> ALL($1::text[])),
            updated_at = clock_timestamp()
      WHERE linked && $1::text[] OR round_links && $1::text[]`,
    [names],
  );
}

/** A first read under way began before these columns came: it begins anew, to fill them all. */
export async function restartFirstRead(tx: Sql, object: string): Promise<void> {
  await tx.query(
    `UPDATE {sync}.cursor
        SET backfill = NULL, version = version + 1, updated_at = clock_timestamp()
      WHERE object = $1 AND phase = 'backfill' AND backfill IS NOT NULL`,
    [object],
  );
}

export async function recordRemoval(tx: Sql, object: string): Promise<void> {
  await tx.query(
    `UPDATE {sync}.mirror
        SET removed_at = now(), refusal = $2
      WHERE object = $1 AND removed_at IS NULL`,
    [object, `it is no longer mirrored from ${tx.schemas.title}`],
  );
}

export async function recordVersion(
  tx: Sql,
  version: { readonly steps: readonly Step[]; readonly objects: readonly ObjectSchema[] },
): Promise<void> {
  await tx.query('INSERT INTO {sync}.schema_version (steps, objects) VALUES ($1, $2)', [
    JSON.stringify(version.steps),
    JSON.stringify(version.objects),
  ]);
}

/** Sets what a local delete leads to, where it is not that already. */
export async function writeDeletePolicies(
  tx: Sql,
  policies: ReadonlyMap<string, DeletePolicy>,
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.mirror AS m SET delete_policy = p.policy
       FROM unnest($1::text[], $2::text[]) AS p(object, policy)
      WHERE m.object = p.object AND m.delete_policy <> p.policy`,
    [[...policies.keys()], [...policies.values()]],
  );
}
