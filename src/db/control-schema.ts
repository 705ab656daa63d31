import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

/** Control tables. Operators query them: comments on every column stand in the migrations. */
export const controlSchema = pgSchema('clarify_sync');

export const instant = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' });
export const serial = () =>
  bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity();

/** One row: what this database is to which workspace, and whether it may push. */
export const installation = controlSchema.table(
  'installation',
  {
    only: boolean('only').primaryKey().default(true),
    id: uuid('id').notNull().defaultRandom(),
    workspace: text('workspace').notNull(),
    /** Names the database itself; differs in a copy. */
    fingerprint: text('fingerprint').notNull(),
    /** Marks our own writes to the triggers; unreadable for everyone else. */
    writerSecret: text('writer_secret').notNull().default(sql`gen_random_uuid()::text`),
    push: boolean('push').notNull().default(false),
    createdAt: instant('created_at').notNull().defaultNow(),
    adoptedAt: instant('adopted_at').notNull().defaultNow(),
  },
  (t) => [check('installation_only_one', sql`${t.only}`)],
);

/** Who leads: one row per role. Times are the database's. */
export const lease = controlSchema.table('lease', {
  name: text('name').primaryKey(),
  holder: text('holder'),
  epoch: bigint('epoch', { mode: 'bigint' }).notNull(),
  expiresAt: instant('expires_at').notNull(),
  acquiredAt: instant('acquired_at').notNull().defaultNow(),
});

/** What stands as a mirror table, for triggers and readers that cannot ask the CRM. */
export const mirror = controlSchema.table('mirror', {
  object: text('object').primaryKey(),
  tableName: text('table_name').notNull().unique(),
  labelSingular: text('label_singular').notNull(),
  labelPlural: text('label_plural').notNull(),
  /** The field by which a record is known. */
  identity: text('identity'),
  /** Why local writes are refused; null where they are fine. */
  refusal: text('refusal'),
  deletePolicy: text('delete_policy').notNull().default('push'),
  /** Names the table that was made, in this database; another one in its place is not ours. */
  relation: text('relation'),
  /** Set when the CRM no longer lists the object. */
  removedAt: instant('removed_at'),
});

/** Objects and link tables that the last schema check could not bring up to the workspace. */
export const mirrorProblem = controlSchema.table('mirror_problem', {
  object: text('object').primaryKey(),
  code: text('code').notNull(),
  /** Names and the next step, no values. */
  message: text('message').notNull(),
  hint: text('hint'),
  /** The table that stands is neither read into nor sent from; otherwise it goes on as it was. */
  stops: boolean('stops').notNull(),
  noticedAt: instant('noticed_at').notNull().default(sql`clock_timestamp()`),
});

export const mirrorColumn = controlSchema.table(
  'mirror_column',
  {
    object: text('object').notNull(),
    field: text('field').notNull(),
    columnName: text('column_name').notNull(),
    kind: text('kind').notNull(),
    /** The whole field as discovered, for readers that cannot ask the CRM. */
    definition: jsonb('definition').notNull(),
    position: integer('position').notNull(),
    removedAt: instant('removed_at'),
  },
  (t) => [primaryKey({ columns: [t.object, t.field] })],
);

export const schemaVersion = controlSchema.table('schema_version', {
  id: serial(),
  /** The statements that led from the version before to this one. */
  steps: jsonb('steps').notNull(),
  /** The discovered objects this version mirrors. */
  objects: jsonb('objects').notNull(),
  appliedAt: instant('applied_at').notNull().defaultNow(),
});

/** How far each object has been read. `version` guards every write: compare and set. */
export const cursor = controlSchema.table(
  'cursor',
  {
    object: text('object').primaryKey(),
    phase: text('phase').notNull().default('backfill'),
    /** Everything visible with an earlier `_updated_at` has been applied. */
    updatedWatermark: instant('updated_watermark'),
    /** Likewise by `_created_at`: during a backfill, and for records never edited. */
    createdWatermark: instant('created_watermark'),
    /** When each watermark last moved, and whether a later walk found nothing behind it. */
    updatedMovedAt: instant('updated_moved_at'),
    updatedConfirmed: boolean('updated_confirmed').notNull().default(false),
    createdMovedAt: instant('created_moved_at'),
    createdConfirmed: boolean('created_confirmed').notNull().default(false),
    /** Likewise for the deletions feed. */
    deletedWatermark: instant('deleted_watermark'),
    /** When a complete reading of the feed last began: what it still holds is known from then on. */
    deletionsReadAt: instant('deletions_read_at'),
    /** The server has no feed of deletions. */
    deletionsAbsent: boolean('deletions_absent').notNull().default(false),
    /** When it last said so twice in a row: the feed is asked for again a day later. */
    deletionsAskedAt: instant('deletions_asked_at'),
    /** Deletions may have passed unnoticed: a comparison has to find them. */
    reconcileDue: boolean('reconcile_due').notNull().default(false),
    /** When a comparison last came to its end, and which key it was made with (a fingerprint). */
    reconciledAt: instant('reconciled_at'),
    reconciledKey: text('reconciled_key'),
    /** Whether records carry `_updated_at` from birth: unknown | always | after_edit. */
    stamping: text('stamping').notNull().default('unknown'),
    backfill: jsonb('backfill'),
    version: bigint('version', { mode: 'bigint' }).notNull().default(sql`0`),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    check('cursor_phase', sql`${t.phase} in ('backfill', 'incremental')`),
    check('cursor_stamping', sql`${t.stamping} in ('unknown', 'always', 'after_edit')`),
  ],
);

/** A first read under way is split by `_created_at`: how far each part has come. */
export const backfillRange = controlSchema.table(
  'backfill_range',
  {
    object: text('object').notNull(),
    position: integer('position').notNull(),
    /** Which backfill of the object it belongs to: the `startedAt` of `cursor.backfill`. */
    startedAt: instant('started_at').notNull(),
    /** Null begins at the beginning. */
    createdFrom: instant('created_from'),
    /** Not included; null has no end. */
    createdBefore: instant('created_before'),
    /** Everything of the range created before this has been applied; null at the start. */
    watermark: instant('watermark'),
    done: boolean('done').notNull().default(false),
    recordsRead: bigint('records_read', { mode: 'bigint' }).notNull().default(sql`0`),
    /** What its records said of the cursor's `stamping`. */
    stamping: text('stamping').notNull().default('unknown'),
    updatedAt: instant('updated_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    primaryKey({ columns: [t.object, t.position] }),
    check('backfill_range_stamping', sql`${t.stamping} in ('unknown', 'always', 'after_edit')`),
  ],
);

/** The rolling sweep of each object: its pages in the order of creation, a few at a time. */
export const sweep = controlSchema.table('sweep', {
  object: text('object').primaryKey(),
  startedAt: instant('started_at'),
  /** Null while a round is under way, or before the first. */
  finishedAt: instant('finished_at'),
  /** Everything created before this has been read again in this round. */
  watermark: instant('watermark'),
  pages: integer('pages').notNull().default(0),
  totalPages: integer('total_pages'),
  requests: integer('requests').notNull().default(0),
  recordsRead: bigint('records_read', { mode: 'bigint' }).notNull().default(sql`0`),
  /** Link tables whose links a complete round has brought: others are urgent. */
  linked: text('linked').array().notNull().default(sql`'{}'`),
  /** Those whose links this round reads. */
  roundLinks: text('round_links').array().notNull().default(sql`'{}'`),
  /** Why the last round was not complete; links that cannot be read. */
  problem: text('problem'),
  updatedAt: instant('updated_at').notNull().default(sql`clock_timestamp()`),
});

export const run = controlSchema.table(
  'run',
  {
    id: serial(),
    kind: text('kind').notNull(),
    object: text('object'),
    state: text('state').notNull().default('running'),
    counts: jsonb('counts').notNull().default({}),
    error: text('error'),
    holder: text('holder').notNull(),
    startedAt: instant('started_at').notNull().default(sql`clock_timestamp()`),
    finishedAt: instant('finished_at'),
  },
  (t) => [
    check('run_state', sql`${t.state} in ('running', 'ok', 'incomplete', 'failed')`),
    index('run_latest').on(t.object, t.kind, t.id.desc()),
  ],
);

export const tombstone = controlSchema.table(
  'tombstone',
  {
    object: text('object').notNull(),
    id: text('id').notNull(),
    record: jsonb('record'),
    reason: text('reason').notNull(),
    deletedAt: instant('deleted_at'),
    noticedAt: instant('noticed_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    primaryKey({ columns: [t.object, t.id] }),
    check('tombstone_reason', sql`${t.reason} in ('deleted', 'merged', 'not_visible')`),
  ],
);

/** Every id a record has had, and the one it has now. */
export const idMap = controlSchema.table(
  'id_map',
  {
    object: text('object').notNull(),
    oldId: text('old_id').notNull(),
    id: text('id').notNull(),
    reason: text('reason').notNull(),
    mappedAt: instant('mapped_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    primaryKey({ columns: [t.object, t.oldId] }),
    check('id_map_reason', sql`${t.reason} in ('pushed', 'adopted', 'merged')`),
    index('id_map_current').on(t.object, t.id),
  ],
);

/** Recordings of meetings, and what was said in them: filled only where that is asked for. */
export const meetingRecording = controlSchema.table(
  'meeting_recording',
  {
    meetingId: text('meeting_id').notNull(),
    recordingId: text('recording_id').notNull(),
    /** As the server gave it, text or JSON; null until it is there. */
    transcript: text('transcript'),
    contentType: text('content_type'),
    fetchedAt: instant('fetched_at'),
    /** Why it is not there: a code. */
    error: text('error'),
    attempts: integer('attempts').notNull().default(0),
    /** Null: it is there, or given up. */
    nextAttemptAt: instant('next_attempt_at').defaultNow(),
    noticedAt: instant('noticed_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    primaryKey({ columns: [t.meetingId, t.recordingId] }),
    check('meeting_recording_fetched', sql`(${t.transcript} is null) = (${t.fetchedAt} is null)`),
    index('meeting_recording_due').on(t.nextAttemptAt).where(sql`${t.nextAttemptAt} is not null`),
  ],
);

/** Roles that the configuration named: what it grants no more is taken back from them. */
export const grantee = controlSchema.table(
  'grantee',
  {
    role: text('role').primaryKey(),
    level: text('level').notNull(),
    grantedAt: instant('granted_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [check('grantee_level', sql`${t.level} in ('read', 'write')`)],
);
