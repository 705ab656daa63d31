import type { ClaimedEntry } from '../../domain/coalesce.ts';
import type { Json } from '../../domain/json.ts';
import type { FieldChanges } from '../../domain/merge-record.ts';
import type { OutboxState } from '../../domain/outbox-states.ts';
import type { Sql } from '../connection/database.ts';
import { decodeChanges } from '../rows/changes.ts';

/** One entry of the outbox, for a person to look at. Instants are ISO-8601 UTC. */
export interface OutboxEntry {
  readonly id: bigint;
  readonly object: string;
  readonly recordId: string;
  readonly op: ClaimedEntry['op'];
  readonly state: OutboxState;
  /** What it waits for is not settled. */
  readonly blocked: boolean;
  readonly blockedBy: bigint | null;
  readonly attempts: number;
  readonly nextAttemptAt: string;
  /** A code, and the CRM's own words, which may quote values: for the operator, never for a log. */
  readonly lastError: string | null;
  readonly writtenBy: string;
  readonly createdAt: string;
  readonly sentAt: string | null;
  readonly doneAt: string | null;
  readonly changes: FieldChanges;
}

/** Parked entries that are decided elsewhere: sending them again would decide nothing. */
const DECIDED_ELSEWHERE: readonly string[] = [
  'conflict-open',
  'delete-needs-approval',
  'mass-delete',
];
/**
 * Parked entries that the CRM may have already (invariant 4): each goes again only where a person
 * has looked, and names it.
 */
const MAY_HAVE_ARRIVED: readonly string[] = ['create-ambiguous', 'copied-database'];

/** The code that `lastError` begins with; null where nothing went wrong. */
export function codeOf({ lastError }: Pick<OutboxEntry, 'lastError'>): string | null {
  return lastError?.split(':', 1)[0] ?? null;
}

/** Whether sending it again is not for anybody to ask, before something else is decided. */
export function needsDecision(entry: OutboxEntry): boolean {
  return entry.state === 'parked' && DECIDED_ELSEWHERE.includes(codeOf(entry) ?? '');
}

const WAITS = `(o.state = 'pending' AND EXISTS (SELECT 1 FROM {sync}.outbox AS f
                  WHERE f.id = o.blocked_by AND f.state IN ('pending', 'sending', 'parked')))`;
const COLUMNS = `o.id, o.object, o.record_id AS "recordId", o.op, o.state, ${WAITS} AS blocked,
  o.blocked_by AS "blockedBy", o.attempts, o.next_attempt_at AS "nextAttemptAt",
  o.last_error AS "lastError", o.written_by AS "writtenBy", o.created_at AS "createdAt",
  o.sent_at AS "sentAt", o.done_at AS "doneAt", o.changes`;

/**
 * Entries in these states, oldest first, and how many there are in all. No lock;
 * `outbox_unsettled` for what is not settled, a scan for the rest.
 */
export async function listEntries(
  sql: Sql,
  filter: {
    readonly states: readonly OutboxState[];
    readonly objects?: readonly string[] | undefined;
    readonly limit: number;
  },
): Promise<{ readonly entries: readonly OutboxEntry[]; readonly total: number }> {
  const parameters = [filter.states, filter.objects ?? null];
  const matches = `o.state = ANY($1::text[]) AND ($2::text[] IS NULL OR o.object = ANY($2))`;
  const entries = await sql.query<OutboxEntry & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM {sync}.outbox AS o WHERE ${matches} ORDER BY o.id LIMIT $3`,
    [...parameters, filter.limit],
  );
  const [counted] = await sql.query<{ total: number }>(
    `SELECT count(*)::int4 AS total FROM {sync}.outbox AS o WHERE ${matches}`,
    parameters,
  );
  return { entries: entries.map(readable), total: counted?.total ?? entries.length };
}

/** One entry by its id; `lock` keeps everyone else from claiming it until the transaction ends. */
export async function readEntry(
  sql: Sql,
  id: bigint,
  lock = false,
): Promise<(OutboxEntry & { readonly sent: Json }) | null> {
  const [entry] = await sql.query<OutboxEntry & { sent: Json } & Record<string, unknown>>(
    `SELECT ${COLUMNS}, o.sent FROM {sync}.outbox AS o WHERE o.id = $1
     ${lock ? 'FOR UPDATE OF o' : ''}`,
    [id],
  );
  return entry ? readable(entry) : null;
}

/** With values as they are, not as jsonb had to hold them. */
function readable<Entry extends OutboxEntry>(entry: Entry): Entry {
  return { ...entry, changes: decodeChanges(entry.changes) };
}

/**
 * Makes entries due at once: parked ones that sending again may mend, and pending ones that wait
 * for their next attempt. Null for `ids` means every one of them, but for those that may have
 * arrived. Locks them in no order, which
 * is fine for it waits for nobody. Wakes the service. @returns those made due.
 */
export async function retryEntries(
  sql: Sql,
  ids: readonly bigint[] | null,
): Promise<readonly bigint[]> {
  const rows = await sql.query<{ id: bigint }>(
    `WITH due AS (
       SELECT id FROM {sync}.outbox
        WHERE ($1::bigint[] IS NULL OR id = ANY($1))
          AND (state = 'parked' AND split_part(last_error, ':', 1) <> ALL($2::text[])
               OR state = 'pending' AND next_attempt_at > clock_timestamp())
        ORDER BY id FOR UPDATE SKIP LOCKED
     ), woken AS (
       UPDATE {sync}.outbox AS o
          SET state = 'pending', epoch = NULL, attempts = 0, last_error = NULL,
              next_attempt_at = clock_timestamp()
         FROM due WHERE o.id = due.id
       RETURNING o.id
     )
     SELECT id, pg_notify('{sync}_outbox', '') FROM woken ORDER BY id`,
    [ids, ids === null ? [...DECIDED_ELSEWHERE, ...MAY_HAVE_ARRIVED] : DECIDED_ELSEWHERE],
  );
  return rows.map(({ id }) => id);
}

/** Ends an unsettled entry without sending it. The caller has locked it. */
export async function cancelEntries(tx: Sql, ids: readonly bigint[]): Promise<void> {
  await tx.query(
    `UPDATE {sync}.outbox
        SET state = 'cancelled', epoch = NULL, blocked_by = NULL, done_at = clock_timestamp()
      WHERE id = ANY($1::bigint[]) AND state IN ('pending', 'parked')`,
    [ids],
  );
}
