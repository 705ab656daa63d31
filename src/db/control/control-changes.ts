import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  json,
  jsonb,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { controlSchema, instant, serial } from './control-schema.ts';

// What waits to be sent, to be decided or to be written: further control tables.

/** Local changes on their way to the CRM. Rows are written by the capture trigger alone. */
export const outbox = controlSchema.table(
  'outbox',
  {
    id: serial(),
    object: text('object').notNull(),
    recordId: text('record_id').notNull(),
    op: text('op').notNull(),
    /** `{field: {base, value}}`; a delete holds the whole row as base. */
    changes: jsonb('changes').notNull(),
    state: text('state').notNull().default('pending'),
    /** What was sent, by which an ambiguous create is recognised. */
    sent: jsonb('sent'),
    /** The job that carries it, where the CRM writes by jobs. */
    ticket: text('ticket'),
    /** The outbox entry that has to go first. */
    blockedBy: bigint('blocked_by', { mode: 'bigint' }),
    /** The leader's epoch at the claim: only it may settle. */
    epoch: bigint('epoch', { mode: 'bigint' }),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull().defaultNow(),
    lastError: text('last_error'),
    writtenBy: text('written_by').notNull().default(sql`session_user`),
    createdAt: instant('created_at').notNull().default(sql`clock_timestamp()`),
    sentAt: instant('sent_at'),
    doneAt: instant('done_at'),
    /** A person said that this delete may go although it is one of many. */
    approvedAt: instant('approved_at'),
  },
  (t) => [
    check('outbox_op', sql`${t.op} in ('insert', 'update', 'delete', 'link', 'unlink')`),
    check(
      'outbox_state',
      sql`${t.state} in ('pending', 'sending', 'done', 'parked', 'superseded', 'cancelled')`,
    ),
    // Only what is under way belongs to a leader.
    check('outbox_sending_has_epoch', sql`(${t.state} = 'sending') = (${t.epoch} is not null)`),
    check(
      'outbox_settled_has_time',
      sql`(${t.state} in ('done', 'superseded', 'cancelled')) = (${t.doneAt} is not null)`,
    ),
    // What waits, or is parked, is in nobody's hands.
    check(
      'outbox_ticket_is_out',
      sql`${t.ticket} is null or ${t.state} not in ('pending', 'parked')`,
    ),
    check('outbox_parked_has_reason', sql`${t.state} <> 'parked' or ${t.lastError} is not null`),
    // Links of a record: to claim, and to leave alone what was settled while a page was read.
    index('outbox_links').on(t.object, t.recordId).where(sql`${t.op} in ('link', 'unlink')`),
    index('outbox_links_due')
      .on(t.object, t.id)
      .where(sql`${t.op} in ('link', 'unlink') and ${t.state} in ('pending', 'sending', 'parked')`),
    index('outbox_deletes').on(t.object, t.doneAt).where(sql`${t.op} = 'delete'`),
    // What has just arrived: a list that lags behind must not take it back.
    index('outbox_done').on(t.doneAt).where(sql`${t.state} = 'done'`),
    // Claims take the oldest of an object; counts read all that is not settled.
    index('outbox_due')
      .on(t.object, t.state, t.id)
      .where(sql`${t.state} in ('pending', 'sending', 'parked')`),
    // Hash: ids are in no order, and a b-tree of them costs a bulk write more than all else here.
    index('outbox_unsettled')
      .using('hash', t.recordId)
      .where(sql`${t.state} in ('pending', 'sending', 'parked')`),
  ],
);

/** One row per field that both sides changed to different values. */
export const conflict = controlSchema.table(
  'conflict',
  {
    id: serial(),
    object: text('object').notNull(),
    recordId: text('record_id').notNull(),
    field: text('field').notNull(),
    base: jsonb('base'),
    local: jsonb('local'),
    remote: jsonb('remote'),
    remoteBy: text('remote_by'),
    policy: text('policy').notNull(),
    resolution: text('resolution').notNull(),
    certain: boolean('certain').notNull(),
    detectedAt: instant('detected_at').notNull().default(sql`clock_timestamp()`),
    resolvedAt: instant('resolved_at'),
    resolvedBy: text('resolved_by'),
  },
  (t) => [
    check(
      'conflict_policy',
      sql`${t.policy} in ('newest', 'remote', 'local', 'manual', 'deleted')`,
    ),
    check('conflict_resolution', sql`${t.resolution} in ('local', 'remote', 'merged', 'open')`),
    check('conflict_open_unresolved', sql`(${t.resolution} = 'open') = (${t.resolvedAt} is null)`),
    index('conflict_record').on(t.object, t.recordId),
    uniqueIndex('conflict_open_once')
      .on(t.object, t.recordId, t.field)
      .where(sql`${t.resolution} = 'open'`),
  ],
);

/** What could not be written to a row when it was due: done as soon as nothing is in the way. */
export const deferred = controlSchema.table(
  'deferred',
  {
    object: text('object').notNull(),
    id: text('id').notNull(),
    /** A record to apply, a row to take away, references or links to bring to present ids. */
    kind: text('kind').notNull().default('apply'),
    /** The record as it was read; of a row to take away, its tombstone; null where there is none. */
    record: json('record'),
    /** Database time just before the record was read. */
    readAt: instant('read_at').notNull(),
    noticedAt: instant('noticed_at').notNull().default(sql`clock_timestamp()`),
    /** Why: null where somebody holds the row. */
    code: text('code'),
    sqlState: text('sqlstate'),
    tableName: text('table_name'),
    constraintName: text('constraint_name'),
    /** In words, without a value. */
    reason: text('reason'),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull().default(sql`clock_timestamp()`),
    /** The newest outbox entry there was when the record was merged with what waits for it. */
    mergedThrough: bigint('merged_through', { mode: 'bigint' }),
  },
  (t) => [
    primaryKey({ columns: [t.object, t.id, t.kind] }),
    check('deferred_kind', sql`${t.kind} in ('apply', 'remove', 'refer', 'link')`),
    check('deferred_record', sql`${t.record} is not null or ${t.kind} in ('refer', 'link')`),
    check('deferred_reason', sql`(${t.code} is null) = (${t.reason} is null)`),
  ],
);

/** What keeps an object from being read or sent: it is tried again with growing pauses. */
export const trouble = controlSchema.table(
  'trouble',
  {
    object: text('object').notNull(),
    part: text('part').notNull(),
    code: text('code').notNull(),
    message: text('message').notNull(),
    hint: text('hint'),
    since: instant('since').notNull().default(sql`clock_timestamp()`),
    attempts: integer('attempts').notNull().default(1),
    nextAttemptAt: instant('next_attempt_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.object, t.part] })],
);

/** Objects whose past is mirrored, as the CRM tells of it. */
export const activity = controlSchema.table('activity', {
  object: text('object').primaryKey(),
  tableName: text('table_name').notNull().unique(),
  /** Rows written before this have been looked at for records whose feeds have to be read. */
  lookedAt: instant('looked_at'),
});

/** Of each record of these objects: how far its feed was read. */
export const activityFeed = controlSchema.table(
  'activity_feed',
  {
    object: text('object').notNull(),
    recordId: text('record_id').notNull(),
    /** The record's version. */
    wanted: instant('wanted').notNull(),
    /** The one it had when its feed was read to the end; null before. */
    readVersion: instant('read_version'),
    readAt: instant('read_at'),
    /** That reading reached back to the creation, and nothing in the feed was illegible. */
    isWhole: boolean('is_whole').notNull().default(false),
    /** The newest event of that reading. */
    newestEvent: text('newest_event'),
    /** In vain, in a row. */
    attempts: integer('attempts').notNull().default(0),
    error: text('error'),
    /** Null: nothing is due. */
    nextAttemptAt: instant('next_attempt_at').default(sql`clock_timestamp()`),
    /** When its history was made to reach back by it; null before. */
    pastAt: instant('past_at'),
    /** Times in a row that its versions could not be written, why, and when that is tried next. */
    pastAttempts: integer('past_attempts').notNull().default(0),
    pastError: text('past_error'),
    pastDueAt: instant('past_due_at').notNull().default(sql`'epoch'`),
  },
  (t) => [
    primaryKey({ columns: [t.object, t.recordId] }),
    check('activity_feed_read', sql`(${t.readVersion} is null) = (${t.readAt} is null)`),
    check('activity_feed_error', sql`(${t.error} is null) = (${t.attempts} = 0)`),
    check('activity_feed_past_error', sql`(${t.pastError} is null) = (${t.pastAttempts} = 0)`),
    index('activity_feed_due')
      .on(t.object, t.nextAttemptAt)
      .where(sql`${t.nextAttemptAt} is not null`),
    index('activity_feed_past')
      .on(t.object, t.pastDueAt, t.recordId)
      .where(sql`${t.pastAt} is null and ${t.readVersion} is not null`),
  ],
);
