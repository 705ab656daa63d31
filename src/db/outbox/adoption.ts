import { type Json, stringifyJson } from '../../domain/json.ts';
import type { FieldChanges } from '../../domain/merge-record.ts';
import { quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { guarded, type Refused } from '../connection/guarded.ts';
import { decodeExtra, fieldOfExtraKey } from '../mirror/extra.ts';
import type { MirrorTable } from '../mirror/table.ts';

/** A row born here that turned out to be a record the CRM has. */
export interface Adoption {
  readonly localId: string;
  readonly id: string;
  /** What is to be sent, measured against what the record held. */
  readonly changes: FieldChanges;
  /** The entry that goes on with it. */
  readonly entry: bigint;
}

/** A row as `to_jsonb` renders it. */
type WholeRow = Readonly<Record<string, Json>> & {
  readonly _extra?: Readonly<Record<string, Json>> | null;
};

/** What rows hold, by id and field. */
export async function readFields(
  sql: Sql,
  table: MirrorTable,
  ids: readonly string[],
): Promise<Map<string, Map<string, Json>>> {
  const rows = await sql.query<{ id: string; row: WholeRow }>(
    `SELECT id, to_jsonb(t) AS row FROM ${table.qualified} AS t WHERE id = ANY($1::text[])`,
    [ids],
  );
  return new Map(
    rows.map(({ id, row }) => {
      const fields = new Map(
        table.columns.map(({ field, column }) => [field.name, row[column] ?? null]),
      );
      for (const [key, value] of Object.entries(row._extra ?? {})) {
        fields.set(fieldOfExtraKey(key), decodeExtra(value));
      }
      return [id, fields];
    }),
  );
}

/**
 * Makes the row born here and the record's row one: the record's keeps its id and takes over what
 * was written here. The caller holds both rows, in a transaction that writes as ourselves.
 *
 * @returns those whose rows stay two, for a constraint refuses it.
 */
export async function mergeBornRows(
  tx: Transaction,
  table: MirrorTable,
  adoptions: readonly Adoption[],
): Promise<readonly Refused<Adoption>[]> {
  const assignments = table.columns.map(({ field, column }) => {
    const name = quoteIdent(column);
    return `${name} = CASE WHEN a.fields ? ${quoteLiteral(field.name)} THEN
      (SELECT v.${name} FROM jsonb_populate_record(NULL::${table.qualified}, a.row) AS v) ELSE x.${name} END`;
  });
  const columnOf = new Map(table.columns.map(({ field, column }) => [field.name, column]));
  const byColumn = (changes: FieldChanges) =>
    Object.fromEntries(
      Object.entries(changes).map(([field, { value }]) => [columnOf.get(field) ?? field, value]),
    );
  return await guarded(tx, table.qualified, adoptions, async (part) => {
    const localIds = part.map(({ localId }) => localId);
    await tx.query(
      `UPDATE ${table.qualified} AS x
          SET _local_id = coalesce(x._local_id, a.old_id)${assignments.map((set) => `,\n${set}`).join('')}
         FROM (SELECT a.old_id, a.id, a.fields::jsonb AS fields, a.row::jsonb AS row
                 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS a(old_id, id, fields, row)) AS a
        WHERE x.id = a.id`,
      [
        localIds,
        part.map(({ id }) => id),
        part.map(({ changes }) => stringifyJson(Object.keys(changes))),
        part.map(({ changes }) => stringifyJson(byColumn(changes))),
      ],
    );
    await tx.query(`DELETE FROM ${table.qualified} WHERE id = ANY($1::text[])`, [localIds]);
  });
}

/** Lets the entries go on as edits of the records they turned out to be about. */
export async function rewriteAdopted(
  tx: Sql,
  epoch: bigint,
  adoptions: readonly Adoption[],
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.outbox AS o
        SET changes = a.changes::jsonb, record_id = a.record_id, state = 'pending', epoch = NULL
       FROM unnest($2::bigint[], $3::text[], $4::text[]) AS a(id, record_id, changes)
      WHERE o.id = a.id AND o.epoch = $1`,
    [
      epoch,
      adoptions.map(({ entry }) => entry),
      adoptions.map(({ id }) => id),
      adoptions.map(({ changes }) => stringifyJson(changes)),
    ],
  );
}
