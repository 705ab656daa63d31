import type { Capabilities } from '../../domain/capabilities.ts';
import { type Json, parseJson, stringifyJson } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';
import { parseInstant } from '../../domain/walk/instant.ts';
import type { Sql } from '../connection/database.ts';
import { notify } from '../connection/listener.ts';
import type { RowTrouble } from '../connection/row-trouble.ts';
import type { Tombstone } from './departures.ts';

/**
 * What waits for a row: a record to `apply`, a row to `remove`, a reference by an old id to bring
 * to the present one (`refer`), links to bring to what the CRM tells or to present ids (`link`).
 */
export type AsideKind = 'apply' | 'remove' | 'refer' | 'link';

interface Waiting {
  readonly id: string;
  /** Database time just before what is to be done was read. */
  readonly readAt: string;
}

export type Aside = Waiting &
  (
    | { readonly kind: 'apply'; readonly record: RemoteRecord }
    | { readonly kind: 'remove'; readonly tombstone: Omit<Tombstone, 'id'> }
    | { readonly kind: 'refer' }
    | { readonly kind: 'link'; readonly record: RemoteRecord | null }
  );

/** Something to be put aside because its row cannot be written. */
export interface Refusal {
  readonly id: string;
  /** As {@link Aside} has it, by kind. */
  readonly record: RemoteRecord | Omit<Tombstone, 'id'> | null;
  readonly trouble: RowTrouble;
}

/** When versions were read, and what tells which is the newer; `stamped` where left out. */
interface VersionsRead {
  /** Database time from before. */
  readonly readAt: string;
  readonly versions?: Capabilities['versions'] | undefined;
}

/**
 * An SQL condition: `d`, put aside, is no newer than what takes its place. A date tells that before the
 * time of reading does: what answers a write was asked for before a page that was read meanwhile,
 * and holds more. What has none comes before the first edit.
 */
function isNoNewer(versions: VersionsRead['versions'] = 'stamped'): string {
  const wasRead = 'd.read_at <= excluded.read_at';
  if (versions === 'read') return wasRead;
  const [stands, comes] = (['d', 'excluded'] as const).map(
    (row) => `coalesce(${asideMember('updatedAt', row)}::timestamptz, '-infinity')`,
  );
  return `(${stands} < ${comes} OR ${stands} = ${comes} AND ${wasRead})`;
}

/**
 * Puts records aside until their rows are free, and has them tried again soon; what waited before goes
 * behind the others. The newer version stays, and so does one whose place would be taken by what tells of
 * links alone.
 *
 * @param read.retry they are tried again just now: whoever does that knows when to do so next.
 */
export async function deferRecords(
  tx: Sql,
  object: string,
  records: readonly RemoteRecord[],
  { readAt, versions, retry = false }: VersionsRead & { readonly retry?: boolean | undefined },
): Promise<void> {
  if (records.length === 0) return;
  const rows = await tx.query<{ isNew: boolean }>(
    `INSERT INTO {sync}.deferred AS d (object, id, kind, record, read_at)
     SELECT $1, r.id, 'apply', r.record::json, $4::timestamptz
       FROM unnest($2::text[], $3::text[]) AS r(id, record)
         ON CONFLICT (object, id, kind) DO UPDATE
        SET record = excluded.record, read_at = excluded.read_at, merged_through = NULL,
            next_attempt_at = CASE WHEN d.code IS NULL THEN excluded.next_attempt_at
                                   ELSE d.next_attempt_at END
      WHERE ${isNoNewer(versions)}
        AND (${asideMember('fields', 'excluded')} <> '{}' OR ${asideMember('fields')} = '{}')
     RETURNING d.xmax = 0 AS "isNew"`,
    [object, records.map(({ id }) => id), records.map((record) => stringifyJson(record)), readAt],
  );
  const isNew = !retry && rows.some((row) => row.isNew);
  await notify(tx, isNew ? 'aside' : 'held', object);
}

/** The first pause is about two seconds, the longest five minutes. */
const PAUSE = (attempts: string) =>
  `least(300, 2 ^ least(${attempts}, 10)) * (0.5 + random() / 2) * interval '1 second'`;

/**
 * Puts aside what a constraint or a trigger refuses, with the reason, to be tried again after a
 * pause that doubles. What was known before was not tried now: its pause goes on. The newer version
 * stays.
 */
export async function putAside(
  tx: Sql,
  about: VersionsRead & { readonly object: string; readonly kind: AsideKind },
  refusals: readonly Refusal[],
): Promise<void> {
  if (refusals.length === 0) return;
  const troubles = refusals.map(({ trouble }) => trouble);
  await tx.query(
    `INSERT INTO {sync}.deferred AS d
            (object, id, kind, record, read_at, code, sqlstate, table_name, constraint_name, reason,
             attempts, next_attempt_at, merged_through)
     SELECT $1, r.id, $2, r.record::json, $3::timestamptz, r.code, r.sqlstate, r.table_name,
            r.constraint_name, r.reason, 1, clock_timestamp() + ${PAUSE('1')}, m.through
       FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
              AS r(id, record, code, sqlstate, table_name, constraint_name, reason)
      CROSS JOIN (SELECT CASE WHEN $2 = 'apply' THEN max(id) END AS through FROM {sync}.outbox) AS m
         ON CONFLICT (object, id, kind) DO UPDATE
        SET record = excluded.record, read_at = excluded.read_at, code = excluded.code,
            sqlstate = excluded.sqlstate, table_name = excluded.table_name,
            constraint_name = excluded.constraint_name, reason = excluded.reason,
            merged_through = excluded.merged_through,
            attempts = d.attempts + CASE WHEN excluded.id = ANY($11::text[]) THEN 0 ELSE 1 END,
            next_attempt_at = CASE WHEN excluded.id = ANY($11::text[]) THEN d.next_attempt_at
                                   ELSE clock_timestamp() + ${PAUSE('d.attempts + 1')} END
      WHERE ${isNoNewer(about.versions)}`,
    [
      about.object,
      about.kind,
      about.readAt,
      refusals.map(({ id }) => id),
      refusals.map(({ record }) => (record === null ? null : stringifyJson(record))),
      troubles.map(({ code }) => code),
      troubles.map(({ sqlState }) => sqlState),
      troubles.map(({ table }) => table),
      troubles.map(({ constraint }) => constraint),
      troubles.map(({ reason }) => reason),
      refusals.filter(({ trouble }) => trouble.known).map(({ id }) => id),
    ],
  );
}

/**
 * What is known to be refused and is not due again yet, of these ids: to be left out at once, so
 * that one culprit does not cost a search each time it comes by. Primary key.
 */
export async function readRefusals(
  tx: Sql,
  about: { readonly object: string; readonly kind: AsideKind },
  ids: readonly string[],
): Promise<ReadonlyMap<string, RowTrouble>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<Omit<RowTrouble, 'passing' | 'known'> & { id: string }>(
    `SELECT id, code, sqlstate AS "sqlState", table_name AS "table", constraint_name AS "constraint", reason
       FROM {sync}.deferred
      WHERE object = $1 AND kind = $2 AND id = ANY($3::text[]) AND code IS NOT NULL
        AND next_attempt_at > clock_timestamp()`,
    [about.object, about.kind, ids],
  );
  return new Map(
    rows.map(({ id, ...trouble }) => [id, { ...trouble, passing: false, known: true }]),
  );
}

/**
 * What was put aside and is to be tried now: what is due, and records for which a later edit waits
 * to be merged, since it is not sent before. With `all`, everything, in batches in order of the id.
 */
export async function readAside(
  sql: Sql,
  object: string,
  batch: { readonly limit: number; readonly all?: { readonly after: string } | undefined },
): Promise<Aside[]> {
  const rows = await sql.query<{ id: string; kind: AsideKind; record: string; readAt: string }>(
    `SELECT d.id, d.kind, coalesce(d.record::text, 'null') AS record, d.read_at AS "readAt"
       FROM {sync}.deferred AS d
      WHERE d.object = $1 AND ($3::text IS NULL OR d.id || ' ' || d.kind > $3)
        AND ($3 IS NOT NULL OR d.code IS NULL OR d.next_attempt_at <= clock_timestamp() OR ${LATER_EDIT})
      ORDER BY CASE WHEN $3 IS NULL THEN d.next_attempt_at END, d.id || ' ' || d.kind LIMIT $2`,
    [object, batch.limit, batch.all?.after ?? null],
  );
  return rows.flatMap(({ record, ...waiting }) => toAside(waiting, parseJson(record)));
}

/**
 * SQL: a member of the record put aside, `row`, as text. A record may hold what Postgres takes as no text
 * (NUL, half a surrogate pair), in whichever of its members: looked into, it would refuse all of it.
 */
export function asideMember(
  member: 'createdAt' | 'updatedAt' | 'fields',
  row: 'd' | 'excluded' = 'd',
): string {
  return `(regexp_replace(${row}.record::text, '(\\\\[^u])|\\\\u', '\\1', 'g')::json ->> '${member}')`;
}

/**
 * Of records that are about to be written, those of which a newer version was put aside, by their
 * times. To be read after the outbox: what a push has settled since shows in one or the other. No lock.
 */
export async function readNewerAside(
  tx: Sql,
  object: string,
  records: readonly RemoteRecord[],
): Promise<ReadonlySet<string>> {
  if (records.length === 0) return new Set();
  const rows = await tx.query<{ id: string; at: string | null }>(
    `SELECT d.id, ${asideMember('updatedAt')} AS at FROM {sync}.deferred AS d
      WHERE d.object = $1 AND d.kind = 'apply' AND d.id = ANY($2::text[])`,
    [object, records.map(({ id }) => id)],
  );
  if (rows.length === 0) return new Set();
  const aside = new Map(rows.map(({ id, at }) => [id, parseInstant(at)]));
  const isNewer = ({ id, updatedAt }: RemoteRecord) =>
    (aside.get(id) ?? -Infinity) > (parseInstant(updatedAt) ?? -Infinity);
  return new Set(records.filter(isNewer).map(({ id }) => id));
}

/**
 * An SQL condition: an edit of the record put aside, `d`, was written after that was merged with
 * what waited then. Index `outbox_unsettled`.
 */
export const LATER_EDIT = `(d.kind IN ('apply', 'remove') AND EXISTS (
  SELECT 1 FROM {sync}.outbox AS o
   WHERE o.object = d.object AND o.state IN ('pending', 'parked') AND o.id > coalesce(d.merged_through, 0)
     AND o.op NOT IN ('link', 'unlink')
     AND (o.record_id = d.id OR o.record_id IN (
           SELECT m.old_id FROM {sync}.id_map AS m WHERE m.object = d.object AND m.id = d.id))))`;

/** Our own writing: who has the first of its members has the rest. */
function toAside(waiting: Waiting & { kind: AsideKind }, record: unknown): Aside[] {
  const { kind, ...rest } = waiting;
  switch (kind) {
    case 'apply':
      return isRecord(record) ? [{ ...rest, kind, record }] : [];
    case 'remove':
      return isTombstone(record) ? [{ ...rest, kind, tombstone: record }] : [];
    case 'refer':
      return [{ ...rest, kind }];
    case 'link':
      return [{ ...rest, kind, record: isRecord(record) ? record : null }];
  }
}

function isRecord(parsed: unknown): parsed is RemoteRecord {
  return typeof parsed === 'object' && parsed !== null && 'id' in parsed && 'fields' in parsed;
}

function isTombstone(parsed: unknown): parsed is Omit<Tombstone, 'id'> & { readonly record: Json } {
  return typeof parsed === 'object' && parsed !== null && 'reason' in parsed;
}

/**
 * Drops what was put aside and has been applied since, or is older than what stands. A record is
 * shown by lists up to 30 s after it is gone, so that alone ends no removal.
 */
export async function dropDeferred(
  tx: Sql,
  object: string,
  ids: readonly string[],
  readAt: string,
): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `DELETE FROM {sync}.deferred
      WHERE object = $1 AND id = ANY($2::text[])
        AND (kind = 'apply' AND read_at <= $3::timestamptz
             OR kind = 'remove' AND noticed_at < $3::timestamptz - interval '30 seconds')`,
    [object, ids, readAt],
  );
}

/** Drops what has been done, or is nobody's business any more. */
export async function dropAside(
  tx: Sql,
  about: { readonly object: string; readonly kinds: readonly AsideKind[] },
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `DELETE FROM {sync}.deferred
      WHERE object = $1 AND kind = ANY($2::text[]) AND id = ANY($3::text[])`,
    [about.object, about.kinds, ids],
  );
}

/** For work that finds its rows itself, and looks at those that are due. */
export async function makeDue(
  tx: Sql,
  about: { readonly object: string; readonly kind: AsideKind },
  ids: readonly string[],
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.deferred SET next_attempt_at = now()
      WHERE object = $1 AND kind = $2 AND id = ANY($3::text[]) AND next_attempt_at > now()`,
    [about.object, about.kind, ids],
  );
}

/** Drops what was due and was not put aside anew. */
export async function dropDue(
  tx: Sql,
  about: { readonly object: string; readonly kind: AsideKind },
  ids: readonly string[],
): Promise<void> {
  await tx.query(
    `DELETE FROM {sync}.deferred
      WHERE object = $1 AND kind = $2 AND id = ANY($3::text[]) AND next_attempt_at <= now()`,
    [about.object, about.kind, ids],
  );
}
