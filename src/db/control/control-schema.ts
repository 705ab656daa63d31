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
    /** Whose workspace it is; null until a version that knows several CRMs has started. */
    crm: text('crm'),
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

/** Processes of a fleet that are able to lead, each until it has been silent for too long. */
export const member = controlSchema.table('member', {
  process: text('process').primaryKey(),
  leads: integer('leads').notNull(),
  opening: integer('opening').notNull(),
  expiresAt: instant('expires_at').notNull(),
  joinedAt: instant('joined_at').notNull().default(sql`clock_timestamp()`),
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
  /** To-many fields whose links are the CRM's own to write. */
  readOnlyLinks: text('read_only_links').array().notNull().default(sql`'{}'`),
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
  /** Where a reading by positions stands; null where the round reads by creation. */
  position: jsonb('position'),
  /** Why the last round was not complete; links that cannot be read. */
  problem: text('problem'),
  /** When the next round begins, where everything is read again and again to find changes. */
  dueAt: instant('due_at'),
  updatedAt: instant('updated_at').notNull().default(sql`clock_timestamp()`),
});

/** What is left of the CRM's budgets of requests, as its last answers told the leader. */
export const budget = controlSchema.table('budget', {
  name: text('name').primaryKey(),
  mostRequests: integer('most_requests').notNull(),
  remaining: integer('remaining').notNull(),
  resetsAt: instant('resets_at').notNull(),
  toldAt: instant('told_at').notNull().default(sql`clock_timestamp()`),
});

/** One row: where the CRM tells of changes by calls of its own, and what they are signed with. */
export const hook = controlSchema.table(
  'hook',
  {
    only: boolean('only').primaryKey().default(true),
    /** What the CRM calls it; with its secret null once it was taken away. */
    hookId: text('hook_id'),
    targetUrl: text('target_url'),
    /** Unreadable for everyone else. */
    secret: text('secret'),
    state: text('state').notNull(),
    /** Mirrored objects by the name that calls have for them. */
    objects: jsonb('objects').notNull().default({}),
    madeAt: instant('made_at').notNull().default(sql`clock_timestamp()`),
    checkedAt: instant('checked_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    check('hook_only_one', sql`${t.only}`),
    check('hook_state', sql`${t.state} in ('active', 'degraded', 'inactive', 'forgotten')`),
    check('hook_forgotten', sql`(${t.state} = 'forgotten') = (${t.secret} is null)`),
  ],
);

/** Records that have to be read again: the CRM told of them, or what it showed was in doubt. */
export const hint = controlSchema.table(
  'hint',
  {
    object: text('object').notNull(),
    id: text('id').notNull(),
    kind: text('kind').notNull(),
    /** The record it was merged into, where that was told. */
    survivor: text('survivor'),
    /** How often it was told: what was told while it was read is not over with that. */
    events: bigint('events', { mode: 'bigint' }).notNull().default(sql`1`),
    /** How often it was read since. */
    looks: integer('looks').notNull().default(0),
    notedAt: instant('noted_at').notNull().default(sql`clock_timestamp()`),
    dueAt: instant('due_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.object, t.id] }),
    check('hint_kind', sql`${t.kind} in ('changed', 'deleted', 'merged')`),
    check('hint_survivor', sql`(${t.kind} = 'merged') = (${t.survivor} is not null)`),
    index('hint_due').on(t.dueAt),
  ],
);

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
    check('tombstone_reason', sql`${t.reason} in ('deleted', 'merged', 'not_visible', 'archived')`),
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
