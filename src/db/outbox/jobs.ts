import type { ClaimedEntry } from '../../domain/coalesce.ts';
import { type Json, stringifyJson } from '../../domain/json.ts';
import type { FieldChanges } from '../../domain/merge-record.ts';
import type { Sql } from '../connection/database.ts';
import { decodeChanges } from '../rows/changes.ts';

/** In the place of a ticket, from before a job is handed over until its answer is there. */
const UNANSWERED = 'unanswered:';

export function unanswered(uuid: string): string {
  return `${UNANSWERED}${uuid}`;
}

/** What of an entry's record goes out with a job. */
export type JobContent = {
  /** The record's, as it was then. */
  readonly id: string;
} & (
  | {
      readonly kind: 'create' | 'update' | 'delete';
      readonly fields: Readonly<Record<string, Json>>;
      readonly matchOn?: string;
    }
  | {
      readonly kind: 'links';
      readonly field: string;
      /** Each with the entry that says it, and those it overtook, as texts. */
      readonly links: readonly {
        readonly entry: string;
        readonly earlier: readonly string[];
        readonly kind: 'link' | 'unlink';
        readonly other: string;
      }[];
    }
);

/**
 * Writes down, before a job is handed over, which entries it carries and what of each: whatever
 * happens from then on, they are taken for sent. Row locks on the entries.
 *
 * @returns how many there are; fewer than named where another leader has taken over.
 */
export async function beginJob(
  tx: Sql,
  job: {
    readonly epoch: bigint;
    readonly ticket: string;
    readonly firstLookMs: number;
    readonly carries: readonly { readonly ids: readonly bigint[]; readonly content: JobContent }[];
  },
): Promise<number> {
  const rows = job.carries.flatMap(({ ids, content }) =>
    ids.map((id) => [id, stringifyJson({ ...content })] as const),
  );
  const begun = await tx.query(
    `UPDATE {sync}.outbox AS o
        SET ticket = $2, sent = c.content::jsonb, sent_at = clock_timestamp(), last_error = NULL,
            next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond'
       FROM unnest($4::bigint[], $5::text[]) AS c(id, content)
      WHERE o.id = c.id AND o.epoch = $1 RETURNING 1`,
    [
      job.epoch,
      job.ticket,
      job.firstLookMs,
      rows.map(([id]) => id),
      rows.map(([, content]) => content),
    ],
  );
  return begun.length;
}

/**
 * Puts a job's ticket in the place held for it. Whoever leads by now: a ticket must not get lost
 * with a lease.
 */
export async function storeTicket(
  sql: Sql,
  { object, place, ticket }: { object: string; place: string; ticket: string },
): Promise<void> {
  await sql.query(
    `UPDATE {sync}.outbox SET ticket = $3
      WHERE object = $1 AND state = 'sending' AND ticket = $2`,
    [object, place, ticket],
  );
}

/** A job that entries are out with. */
export interface OutJob {
  readonly ticket: string;
  /** Its answer was lost: there is nothing to ask by. */
  readonly isLost: boolean;
  /** How it has ended, where that is known. */
  readonly ended: 'completed' | 'failed' | null;
  readonly ageMs: number;
  /** Until it is to be looked at, negative where that is due. */
  readonly waitMs: number;
}

const ENDED = {
  completed: 'job-completed: what it did is being read back',
  failed: 'job-failed: what it did all the same is being read back',
} as const;

/** Takes over, and lists, the jobs of an object that entries are out with. Index `outbox_due`. */
export async function takeOverJobs(tx: Sql, object: string, epoch: bigint): Promise<OutJob[]> {
  await tx.query(
    `UPDATE {sync}.outbox SET epoch = $2
      WHERE object = $1 AND state = 'sending' AND ticket IS NOT NULL AND epoch <> $2`,
    [object, epoch],
  );
  return await tx.query<OutJob & Record<string, unknown>>(
    `SELECT ticket, ticket LIKE '${UNANSWERED}%' AS "isLost",
            CASE WHEN bool_or(last_error LIKE 'job-completed:%') THEN 'completed'
                 WHEN bool_or(last_error LIKE 'job-failed:%') THEN 'failed' END AS ended,
            (extract(epoch FROM clock_timestamp() - min(sent_at)) * 1000)::float8 AS "ageMs",
            (extract(epoch FROM min(next_attempt_at) - clock_timestamp()) * 1000)::float8 AS "waitMs"
       FROM {sync}.outbox
      WHERE object = $1 AND state = 'sending' AND ticket IS NOT NULL
      GROUP BY ticket ORDER BY min(id)`,
    [object],
  );
}

/** Entries of one record that are out with a job. */
export interface OutRecord {
  readonly recordId: string;
  readonly entries: readonly ClaimedEntry[];
  readonly content: JobContent;
  readonly attempts: number;
}

interface OutRow {
  id: bigint;
  record_id: string;
  op: ClaimedEntry['op'];
  changes: FieldChanges;
  sent: JobContent;
  attempts: number;
}

/** What is still out with a job, oldest entry of each record first. Index `outbox_due`; no lock. */
export async function readOut(sql: Sql, object: string, ticket: string): Promise<OutRecord[]> {
  const rows = await sql.query<OutRow & Record<string, unknown>>(
    `SELECT id, record_id, op, changes, sent, attempts FROM {sync}.outbox
      WHERE object = $1 AND state = 'sending' AND ticket = $2 ORDER BY created_at, id`,
    [object, ticket],
  );
  const byRecord = new Map<string, OutRow[]>();
  for (const row of rows)
    byRecord.set(row.record_id, [...(byRecord.get(row.record_id) ?? []), row]);
  return [...byRecord].flatMap(([recordId, own]) => {
    const [first] = own;
    if (first === undefined) return [];
    const entries = own.map(({ id, op, changes }) => ({ id, op, changes: decodeChanges(changes) }));
    const attempts = Math.max(...own.map((row) => row.attempts));
    return [{ recordId, entries, content: first.sent, attempts }];
  });
}

/** When to look at a job again, and how it has ended where that was told. */
export async function lookAgain(
  tx: Sql,
  about: { readonly object: string; readonly ticket: string; readonly epoch: bigint },
  { inMs, ended }: { readonly inMs: number; readonly ended?: keyof typeof ENDED },
): Promise<void> {
  await tx.query(
    `UPDATE {sync}.outbox
        SET next_attempt_at = clock_timestamp() + $4 * interval '1 millisecond',
            last_error = coalesce($5, last_error)
      WHERE object = $1 AND state = 'sending' AND ticket = $2 AND epoch = $3`,
    [about.object, about.ticket, about.epoch, inMs, ended === undefined ? null : ENDED[ended]],
  );
}

/** A value that a change which is out with a job gives up, or takes. */
export interface OutValue {
  readonly entry: bigint;
  readonly recordId: string;
  readonly field: string;
  readonly change: FieldChanges[string];
}

/** Of some fields. Index `outbox_due`; no lock. */
export async function readOutValues(
  sql: Sql,
  object: string,
  fields: readonly string[],
): Promise<OutValue[]> {
  if (fields.length === 0) return [];
  const rows = await sql.query<{ id: bigint; record_id: string; changes: FieldChanges }>(
    `SELECT id, record_id, (SELECT jsonb_object_agg(f.key, f.value)
                             FROM jsonb_each(changes) AS f WHERE f.key = ANY($2::text[])) AS changes
       FROM {sync}.outbox
      WHERE object = $1 AND state = 'sending' AND ticket IS NOT NULL AND changes ?| $2::text[]`,
    [object, fields],
  );
  return rows.flatMap(({ id, record_id: recordId, changes }) =>
    Object.entries(decodeChanges(changes)).map(([field, change]) => {
      return { entry: id, recordId, field, change };
    }),
  );
}

/**
 * Ids of ours that creates under way give their records, of these: until such a create is settled,
 * its record is a row already, or was deleted as one. Index `outbox_due`; no lock.
 */
export async function readBirthsOut(
  sql: Sql,
  object: string,
  { field, values }: { readonly field: string; readonly values: readonly string[] },
): Promise<ReadonlySet<string>> {
  if (values.length === 0) return new Set();
  const rows = await sql.query<{ value: string }>(
    `SELECT DISTINCT sent -> 'fields' ->> $2 AS value FROM {sync}.outbox
      WHERE object = $1 AND state = 'sending' AND ticket IS NOT NULL
        AND sent ->> 'kind' = 'create' AND sent -> 'fields' ->> $2 = ANY($3::text[])`,
    [object, field, values],
  );
  return new Set(rows.map(({ value }) => value));
}
