import { sql } from 'drizzle-orm';
import { bigint, check, index, integer, jsonb, primaryKey, text } from 'drizzle-orm/pg-core';
import { controlSchema, instant } from './control-schema.ts';

// How the tables of what a workspace has beside its records are read: further control tables.

/** What is read as one: all settings, the members of one list, the attachments of one record. */
export const sideReading = controlSchema.table(
  'side_reading',
  {
    part: text('part').notNull(),
    /** Empty where the part is of no object. */
    object: text('object').notNull(),
    /** The record, the list or the campaign; empty where the part is one. */
    key: text('key').notNull(),
    /** Of the record: it is read again when it has another. */
    version: text('version'),
    readAt: instant('read_at'),
    /** Null: not before its version changes. */
    dueAt: instant('due_at').default(sql`clock_timestamp()`),
    attempts: integer('attempts').notNull().default(0),
    /** Why it could not be read the last time: a code. */
    error: text('error'),
  },
  (t) => [
    primaryKey({ columns: [t.part, t.object, t.key] }),
    index('side_reading_due').on(t.part, t.object, t.dueAt).where(sql`${t.dueAt} is not null`),
  ],
);

/** Pages of what takes more than one, until the last of them is there. */
export const sidePage = controlSchema.table(
  'side_page',
  {
    part: text('part').notNull(),
    object: text('object').notNull(),
    key: text('key').notNull(),
    page: integer('page').notNull(),
    /** `[{id, fields}]` */
    items: jsonb('items').notNull(),
    /** How many there are of it, as the server said with this page. */
    total: integer('total'),
    readAt: instant('read_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [primaryKey({ columns: [t.part, t.object, t.key, t.page] })],
);

/** Comments written here, until they are in the CRM and for a while after. */
export const commentOutbox = controlSchema.table(
  'comment_outbox',
  {
    /** The id of the row, and of the comment in the CRM. */
    id: text('id').primaryKey(),
    object: text('object').notNull(),
    recordId: text('record_id').notNull(),
    /** As it is sent. */
    message: jsonb('message').notNull(),
    state: text('state').notNull().default('pending'),
    /** Whose request may have arrived. */
    epoch: bigint('epoch', { mode: 'bigint' }),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull().default(sql`clock_timestamp()`),
    lastError: text('last_error'),
    writtenBy: text('written_by').notNull().default(sql`session_user`),
    createdAt: instant('created_at').notNull().default(sql`clock_timestamp()`),
    doneAt: instant('done_at'),
  },
  (t) => [
    index('comment_outbox_due')
      .on(t.nextAttemptAt)
      .where(sql`${t.state} in ('pending', 'sending')`),
    index('comment_outbox_record').on(t.object, t.recordId),
    check('comment_outbox_state', sql`${t.state} in ('pending', 'sending', 'parked', 'done')`),
    check('comment_outbox_epoch', sql`(${t.state} = 'sending') = (${t.epoch} is not null)`),
    check('comment_outbox_reason', sql`${t.state} <> 'parked' or ${t.lastError} is not null`),
    check('comment_outbox_end', sql`(${t.state} = 'done') = (${t.doneAt} is not null)`),
  ],
);
