import type { Capabilities } from '../../domain/capabilities.ts';
import type { Sql, Transaction } from '../connection/database.ts';
import { isDistinct } from '../mirror/distinct.ts';
import type { EncodedRecord } from '../mirror/encode.ts';
import type { MirrorTable } from '../mirror/table.ts';
import { noticedSince } from '../rows/departures.ts';
import type { CopyColumn } from './copy.ts';
import { copyColumns, copyInto, newBuffer } from './copy.ts';

/** Gone with its transaction, so that it works behind a transaction pooler too. */
const STAGE = 'pg_temp.{sync}_stage';

/** Rows beside the mirror, `position` being their place among those given, from 1. */
export interface Stage {
  readonly table: MirrorTable;
  readonly columns: readonly CopyColumn[];
}

/** Copies rows, each id once, into a table of this transaction's own. */
export async function fillStage(
  tx: Transaction,
  table: MirrorTable,
  rows: readonly EncodedRecord[],
): Promise<Stage> {
  const columns = copyColumns(table);
  const definitions = columns.map(({ name, sqlType }) => `${name} ${sqlType}`).join(', ');
  await tx.query(
    `CREATE TEMP TABLE {sync}_stage
       (position integer GENERATED ALWAYS AS IDENTITY, ${definitions}) ON COMMIT DROP`,
  );
  const buffer = newBuffer(table);
  for (const { values } of rows) buffer.append(values);
  await copyInto(tx, { table: STAGE, columns }, buffer.end());
  return { table, columns };
}

/** A staged row that is not in the mirror as it is. */
export interface StagedDifference {
  readonly position: number;
  readonly id: string;
  /** A row stands, older or unlike it. */
  readonly present: boolean;
  /** That row is dated, and what is staged is not. */
  readonly undated: boolean;
}

/**
 * Staged rows that are absent from the mirror or differ from it, but for older ones where stamps tell
 * them. No lock.
 */
export async function compareStage(
  tx: Sql,
  { table, columns }: Stage,
  versions: Capabilities['versions'],
): Promise<StagedDifference[]> {
  const isNewer = versions === 'stamped' ? NEWER : 'false';
  return await tx.query<StagedDifference & Record<string, unknown>>(
    `SELECT s.position, s.id, t.id IS NOT NULL AS present, ${UNDATED} AS undated
       FROM ${STAGE} AS s LEFT JOIN ${table.qualified} AS t ON t.id = s.id
      WHERE t.id IS NULL OR ${UNDATED} OR ((${differs(columns)}) AND NOT ${isNewer})
      ORDER BY s.position`,
  );
}

/**
 * Staged rows that something is known about besides what was read: a local change on its way, an
 * id that was born here, a version put aside, or a deletion noticed since. For a statement after
 * those rows were compared and locked (invariant 2). Indexes as in `isInDoubt`; no lock.
 */
export async function readKnown(
  tx: Sql,
  { table }: Stage,
  readAt: string,
): Promise<{ readonly position: number; readonly gone: boolean }[]> {
  return await tx.query<{ position: number; gone: boolean }>(
    `SELECT * FROM (
       SELECT s.position,
              EXISTS (SELECT FROM {sync}.tombstone AS d
                       WHERE d.object = $1 AND d.id = s.id AND ${noticedSince('d', '$2')}) AS gone,
              EXISTS (SELECT FROM {sync}.outbox AS o
                       WHERE o.object = $1 AND o.record_id = s.id
                         AND o.state IN ('pending', 'sending', 'parked'))
              OR EXISTS (SELECT FROM {sync}.id_map AS m
                          WHERE m.object = $1 AND m.id = s.id AND m.reason <> 'merged')
              OR EXISTS (SELECT FROM {sync}.deferred AS p
                          WHERE p.object = $1 AND p.id = s.id) AS waiting
         FROM ${STAGE} AS s) AS k
      WHERE k.gone OR k.waiting`,
    [table.object, readAt],
  );
}

/**
 * Inserts staged rows that do not stand, and forgets that their records were ever gone. A row
 * that somebody else has just inserted is left: its version arrives with the next overlap.
 */
export async function insertStaged(
  tx: Sql,
  { table, columns }: Stage,
  positions: readonly number[],
): Promise<number> {
  if (positions.length === 0) return 0;
  const names = columns.map(({ name }) => name).join(', ');
  const [row] = await tx.query<{ rows: number }>(
    `WITH inserted AS (
       INSERT INTO ${table.qualified} (${names})
       SELECT ${columns.map(({ name, column }) => (column === MERGED ? `coalesce(s.${name}, '{}')` : `s.${name}`)).join(', ')}
         FROM ${STAGE} AS s JOIN unnest($2::integer[]) AS p(position) USING (position)
        ORDER BY s.id
           ON CONFLICT (id) DO NOTHING
       RETURNING id
     ), forgotten AS (
       DELETE FROM {sync}.tombstone AS d USING inserted AS i WHERE d.object = $1 AND d.id = i.id
     )
     SELECT count(*)::integer AS rows FROM inserted`,
    [table.object, positions],
  );
  return row?.rows ?? 0;
}

/** Overwrites rows that the caller has locked, where they still differ and are not newer. */
export async function updateStaged(
  tx: Sql,
  { table, columns }: Stage,
  positions: readonly number[],
): Promise<number> {
  if (positions.length === 0) return 0;
  const assignments = columns
    .filter(({ column }) => !LASTING.has(column))
    .map((column) => `${column.name} = ${nextOf(column)}`);
  const [row] = await tx.query<{ rows: number }>(
    `WITH updated AS (
       UPDATE ${table.qualified} AS t SET ${assignments.join(', ')}
         FROM ${STAGE} AS s JOIN unnest($1::integer[]) AS p(position) USING (position)
        WHERE t.id = s.id AND (${differs(columns)}) AND NOT ${NEWER}
       RETURNING 1
     )
     SELECT count(*)::integer AS rows FROM updated`,
    [positions],
  );
  return row?.rows ?? 0;
}

/** What a row is known by stays with it: one born here has a birth id, and a key of its own. */
const LASTING: ReadonlySet<string> = new Set(['id', '_local_id', '_key']);

const UNDATED = '(t._updated_at IS NOT NULL AND s._updated_at IS NULL)';

/** The row holds a newer version than the one staged, or nothing tells. */
const NEWER = `coalesce(t._updated_at > s._updated_at OR ${UNDATED}, false)`;

const MERGED = '_merged_ids';

/** What a row that stands is to hold: of merges what it knows, where the record does not tell. */
function nextOf({ name, column }: CopyColumn): string {
  return column === MERGED ? `coalesce(s.${name}, t.${name})` : `s.${name}`;
}

function differs(columns: readonly CopyColumn[]): string {
  return columns
    .filter(({ column }) => !LASTING.has(column) && column !== '_synced_at')
    .map((column) => isDistinct(column.sqlType, `t.${column.name}`, nextOf(column)))
    .join(' OR ');
}
