import { equalJson } from '../../domain/equal.ts';
import { type Json, stringifyJson } from '../../domain/json.ts';
import { isStorableText, quoteIdent, quoteLiteral } from '../../domain/names.ts';
import type { PastVersion } from '../../domain/past/record-past.ts';
import { MERGED } from '../../domain/past/rules.ts';
import type { Sql } from '../connection/database.ts';
import { encodeValue } from '../mirror/encode.ts';
import { extraKey } from '../mirror/extra.ts';
import { isNumberType } from '../mirror/number-type.ts';
import { type MirrorColumn, type MirrorTable, partExpression } from '../mirror/table.ts';
import { historyOf, type PastCandidate } from './candidates.ts';

/** What a record was before it was first seen, oldest first. */
export interface ReachedPast {
  readonly candidate: PastCandidate;
  readonly versions: readonly PastVersion[];
}

/**
 * Puts versions that nobody saw before the oldest one that was seen, up to where that begins, and
 * notes that it is done. What did not change is taken from the version that was seen, as it stands
 * there; one whose record has another past by now is left out. In one transaction; safe to run
 * twice. No lock: versions that are seen are only added behind.
 *
 * @returns how many versions were written.
 */
export async function writePasts(
  tx: Sql,
  mirror: MirrorTable,
  pasts: readonly ReachedPast[],
): Promise<number> {
  const known = pasts.find(({ versions }) => versions.length > 0)?.candidate.fields ?? [];
  const columns = mirror.columns.filter(({ field }) => known.includes(field));
  const rows = pasts.flatMap((past) => rowsOf(past, columns));
  const written =
    rows.length === 0 ? [] : await tx.query(insertSql(mirror, columns), [stringifyJson(rows)]);
  await tx.query(
    `UPDATE {sync}.activity_feed
        SET past_at = clock_timestamp(), past_attempts = 0, past_error = NULL
      WHERE object = $1 AND record_id = ANY($2::text[])`,
    [mirror.object, pasts.map(({ candidate }) => candidate.id)],
  );
  return written.length;
}

/** What is refused waits: a minute, four, sixteen, at most a week, as a feed that fails. */
export async function postponePasts(
  tx: Sql,
  object: string,
  refused: readonly { readonly id: string; readonly code: string }[],
): Promise<void> {
  if (refused.length === 0) return;
  await tx.query(
    `UPDATE {sync}.activity_feed AS f
        SET past_error = d.code, past_attempts = f.past_attempts + 1,
            past_due_at = clock_timestamp()
              + least(interval '7 days', interval '1 minute' * 4 ^ least(f.past_attempts, 10))
       FROM unnest($2::text[], $3::text[]) AS d(record_id, code)
      WHERE f.object = $1 AND f.record_id = d.record_id`,
    [object, refused.map(({ id }) => id), refused.map(({ code }) => code)],
  );
}

/** The inner query makes the columns, the outer one what is computed of them. */
function insertSql(mirror: MirrorTable, columns: readonly MirrorColumn[]): string {
  const history = historyOf(mirror);
  const own = [
    ['id', 'o.id'],
    ['_valid_from', 'v.from_at'],
    ['_valid_to', 'coalesce(v.to_at, o._valid_from)'],
    ['_operation', 'v.operation'],
    ['_ended_by', `CASE WHEN v.to_at IS NULL THEN 'found' ELSE 'update' END`],
    ['_reconstructed', 'true'],
    ['_unknown', 'v.unknown'],
    ['_local_id', 'o._local_id'],
    ['_key', 'o._key'],
    ['_created_at', 'o._created_at'],
    ['_created_by', 'o._created_by'],
    ['_updated_at', 'v.from_at'],
    ['_updated_by', 'v.updated_by'],
    ['_merged_ids', 'v.merged_ids'],
    ['_extra', 'v.extra'],
  ] as const;
  const held = columns.map(({ column, sqlType }) => {
    const type = isNumberType(sqlType) ? 'numeric' : sqlType;
    const name = quoteLiteral(column);
    const value = `CASE WHEN v.changed ? ${name} THEN (v.changed ->> ${name})::${type} ELSE o.${quoteIdent(column)} END`;
    return [quoteIdent(column), value] as const;
  });
  const made = [...own, ...held];
  const parts = columns.flatMap(({ column, parts: all }) =>
    all.map((one) => [quoteIdent(one.column), partExpression(column, one.part)] as const),
  );
  const names = made.map(([name]) => name);
  return `INSERT INTO ${history} (${[...names, ...parts.map(([name]) => name)].join(', ')})
     SELECT ${[...names, ...parts.map(([, value]) => value)].join(', ')}
       FROM (SELECT ${made.map(([name, value]) => `${value} AS ${name}`).join(', ')}
               FROM jsonb_to_recordset($1::jsonb) AS v(
                      id text, seen_from timestamptz, from_at timestamptz, to_at timestamptz, operation text,
                      unknown text[], updated_by text, merged_ids text[], extra jsonb, changed jsonb)
               JOIN ${history} AS o ON o.id = v.id AND o._valid_from = v.seen_from AND NOT o._reconstructed) AS n
         ON CONFLICT (id, _valid_from) DO NOTHING RETURNING 1`;
}

/** One per version, as `insertSql` reads it. */
function rowsOf({ candidate, versions }: ReachedPast, columns: readonly MirrorColumn[]): Json[] {
  const { id, seenFrom, seen } = candidate;
  return versions.map((version, at): Json => {
    const { values } = version;
    const mergedIds = mergedIdsOf(values.get(MERGED.name));
    const changed = new Map<string, Json>();
    const extra = new Map<string, Json>();
    const unknown: string[] = mergedIds === undefined ? [MERGED.name] : [];
    for (const column of columns) {
      const { name } = column.field;
      const value = values.get(name);
      if (value === undefined) unknown.push(column.column);
      const encoded = encodeValue(column, value ?? null);
      if ('extra' in encoded) extra.set(extraKey(name), encoded.extra);
      const isKept = value !== undefined && equalJson(value, seen.fields.get(name) ?? null);
      if (!isKept) changed.set(column.column, 'text' in encoded ? encoded.text : null);
    }
    return {
      id,
      seen_from: seenFrom,
      from_at: instant(version.fromMs),
      to_at: at === versions.length - 1 ? null : instant(version.toMs),
      operation: version.isBirth ? 'insert' : 'update',
      unknown,
      updated_by: version.by,
      merged_ids: mergedIds ?? null,
      extra: extra.size === 0 ? null : Object.fromEntries(extra),
      changed: Object.fromEntries(changed),
    };
  });
}

/** Undefined where nobody knows them, or what is told is no list of ids. */
function mergedIdsOf(told: Json | undefined): Json | undefined {
  if (!Array.isArray(told)) return told === null ? [] : undefined;
  const isId = (item: Json) => typeof item === 'string' && isStorableText(item);
  return told.every(isId) ? told : undefined;
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
