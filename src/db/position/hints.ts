import { CERTAIN_MS, LOOKS_MS, type NotedHint } from '../../domain/hint.ts';
import type { Sql } from '../connection/database.ts';
import { notify } from '../connection/listener.ts';

/** A record that is to be read again now. */
export interface DueHint extends NotedHint {
  /** How often it was told; by it one that is told again meanwhile is known. */
  readonly events: bigint;
  /** How often it was read since. */
  readonly looks: number;
  /** It was told long enough ago: what is read from now on is certain. */
  readonly certain: boolean;
}

const AFTER = (ms: number) => `interval '${ms} milliseconds'`;
const COLUMNS = `object, id, kind, survivor, events, looks,
  noted_at + ${AFTER(CERTAIN_MS)} <= clock_timestamp() AS certain`;

/**
 * Notes hints, each record once, however often it is told: a row per record, whoever repeats what. One
 * that is told again is read anew from the beginning, but no later than it would have been. To be
 * called in a transaction, for what is answered has to outlive a crash. Locks rows in id order.
 */
export async function noteHints(tx: Sql, hints: readonly NotedHint[]): Promise<void> {
  if (hints.length === 0) return;
  await tx.query(
    `INSERT INTO {sync}.hint AS h (object, id, kind, survivor, due_at)
     SELECT n.object, n.id, n.kind, n.survivor, clock_timestamp() + ${AFTER(LOOKS_MS[0])}
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS n(object, id, kind, survivor)
      ORDER BY n.object, n.id
         ON CONFLICT (object, id) DO UPDATE
        SET kind = CASE WHEN h.kind = 'merged' OR excluded.kind = 'changed' THEN h.kind ELSE excluded.kind END,
            survivor = coalesce(excluded.survivor, h.survivor), events = h.events + 1, looks = 0,
            noted_at = clock_timestamp(), due_at = least(h.due_at, excluded.due_at)`,
    [
      hints.map(({ object }) => object),
      hints.map(({ id }) => id),
      hints.map(({ kind }) => kind),
      hints.map(({ survivor }) => survivor),
    ],
  );
}

/**
 * Has records read once more when lists are certain to show what was doubted: `since`, database time.
 * A hint that stands already is not over before that. Whoever reads hints is told: nobody else may be
 * called, and would look for them seldom.
 */
export async function lookAgain(
  tx: Sql,
  object: string,
  doubted: readonly { readonly id: string; readonly since: string }[],
): Promise<void> {
  if (doubted.length === 0) return;
  await tx.query(
    `INSERT INTO {sync}.hint AS h (object, id, kind, noted_at, due_at)
     SELECT $1, d.id, 'changed', d.since, d.since + ${AFTER(CERTAIN_MS)}
       FROM unnest($2::text[], $3::timestamptz[]) AS d(id, since)
      ORDER BY d.id
         ON CONFLICT (object, id) DO UPDATE
        SET noted_at = greatest(h.noted_at, excluded.noted_at), events = h.events + 1`,
    [object, doubted.map(({ id }) => id), doubted.map(({ since }) => since)],
  );
  await notify(tx, 'hint', '');
}

/**
 * Objects that have something due, and how long until something else is; null where nothing is to come.
 * One that is read for the first time has nothing due before that is done: what is read of it may be
 * older than what was told.
 */
export async function readHintsDue(
  sql: Sql,
): Promise<{ readonly objects: readonly string[]; readonly nextMs: number | null }> {
  const [row] = await sql.query<{ objects: string[] | null; next: number | null }>(
    `SELECT array_agg(DISTINCT h.object) FILTER (WHERE h.due_at <= now.at) AS objects,
            (extract(epoch FROM min(h.due_at - now.at) FILTER (WHERE h.due_at > now.at)) * 1000)::float8 AS next
       FROM {sync}.hint AS h
      CROSS JOIN (SELECT clock_timestamp() AS at OFFSET 0) AS now
      WHERE NOT EXISTS (SELECT 1 FROM {sync}.cursor AS c
                         WHERE c.object = h.object AND c.phase = 'backfill')`,
  );
  return { objects: row?.objects ?? [], nextMs: row?.next ?? null };
}

/** What of an object is due, the longest first. Index `hint_due`; no lock. */
export async function readDueHints(sql: Sql, object: string, limit: number): Promise<DueHint[]> {
  return await sql.query<DueHint & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM {sync}.hint
      WHERE object = $1 AND due_at <= clock_timestamp() ORDER BY due_at LIMIT $2`,
    [object, limit],
  );
}

/** Merges of an object that were told and not followed yet: those that are due, or were never looked at. */
export async function readMergeHints(sql: Sql, object: string, limit: number): Promise<DueHint[]> {
  return await sql.query<DueHint & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM {sync}.hint
      WHERE object = $1 AND kind = 'merged' AND (looks = 0 OR due_at <= clock_timestamp()) ORDER BY due_at LIMIT $2`,
    [object, limit],
  );
}

/**
 * Those of these records of which the CRM may still say what became of them: it calls, and has said
 * neither that they were deleted nor was that found out. Primary keys.
 */
export async function readUntold(
  sql: Sql,
  object: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ id: string }>(
    `SELECT w.id FROM unnest($2::text[]) AS w(id)
      WHERE EXISTS (SELECT 1 FROM {sync}.hook WHERE secret IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM {sync}.hint AS h
                         WHERE h.object = $1 AND h.id = w.id AND h.kind = 'deleted')
        AND NOT EXISTS (SELECT 1 FROM {sync}.tombstone AS t WHERE t.object = $1 AND t.id = w.id)`,
    [object, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Ends hints, but for those that were told again since they were read. */
export async function endHints(
  tx: Sql,
  object: string,
  hints: readonly Pick<DueHint, 'id' | 'events'>[],
): Promise<void> {
  if (hints.length === 0) return;
  await tx.query(
    `DELETE FROM {sync}.hint AS h USING unnest($2::text[], $3::bigint[]) AS d(id, events)
      WHERE h.object = $1 AND h.id = d.id AND h.events = d.events`,
    [object, hints.map(({ id }) => id), hints.map(({ events }) => events)],
  );
}

/** Has hints looked at again in their time, and from then on at leisure. */
export async function putOffHints(
  tx: Sql,
  object: string,
  hints: readonly Pick<DueHint, 'id' | 'events'>[],
): Promise<void> {
  if (hints.length === 0) return;
  await tx.query(
    `UPDATE {sync}.hint AS h
        SET looks = h.looks + 1, due_at = coalesce(
              (SELECT min(h.noted_at + l.ms * interval '1 millisecond') FROM unnest($4::integer[]) AS l(ms)
                WHERE h.noted_at + l.ms * interval '1 millisecond' > clock_timestamp()),
              clock_timestamp() + ${AFTER(CERTAIN_MS)})
       FROM unnest($2::text[], $3::bigint[]) AS d(id, events)
      WHERE h.object = $1 AND h.id = d.id AND h.events = d.events`,
    [object, hints.map(({ id }) => id), hints.map(({ events }) => events), LOOKS_MS],
  );
}

/** What was said to be merged, and into what cannot be found, is taken for deleted. */
export async function doubtMerges(
  tx: Sql,
  object: string,
  hints: readonly Pick<DueHint, 'id' | 'events'>[],
): Promise<void> {
  if (hints.length === 0) return;
  await tx.query(
    `UPDATE {sync}.hint AS h SET kind = 'deleted', survivor = NULL, due_at = clock_timestamp()
       FROM unnest($2::text[], $3::bigint[]) AS d(id, events)
      WHERE h.object = $1 AND h.id = d.id AND h.events = d.events`,
    [object, hints.map(({ id }) => id), hints.map(({ events }) => events)],
  );
}

/** Drops hints about what is no longer mirrored. */
export async function dropHintsBut(sql: Sql, objects: readonly string[]): Promise<void> {
  await sql.query('DELETE FROM {sync}.hint WHERE NOT object = ANY($1::text[])', [objects]);
}
