import { sql } from 'drizzle-orm';
import { bigint, customType, index, integer, primaryKey, text } from 'drizzle-orm/pg-core';
import { controlSchema, instant } from './control-schema.ts';

// What reading everything leaves behind: further control tables.

/** Where a row stands. */
const place = customType<{ data: string }>({ dataType: () => 'tid' });
/** Who wrote it. */
const transactionId = customType<{ data: string }>({ dataType: () => 'xid' });

/** Whom each page of the round under way showed, where missing from all of them says something. */
export const scanPage = controlSchema.table(
  'scan_page',
  {
    object: text('object').notNull(),
    page: integer('page').notNull(),
    /** Readings by positions go over the list more than once. */
    pass: integer('pass').notNull(),
    ids: text('ids').array().notNull(),
    /** Those of them that may have come since the round began. */
    joined: text('joined').array().notNull(),
  },
  (t) => [primaryKey({ columns: [t.object, t.page] })],
);

/**
 * Records as they came when the row that stands was found to say the same: whoever comes so again,
 * and whose row was not written since, need not be read.
 */
export const recordDigest = controlSchema.table(
  'record_digest',
  {
    object: text('object').notNull(),
    id: text('id').notNull(),
    digest: text('digest').notNull(),
    /** `ctid` and `xmin` of the row: whoever writes it gives it others. */
    rowPlace: place('row_place').notNull(),
    rowVersion: transactionId('row_version').notNull(),
    /** Of the table's columns. */
    shape: bigint('shape', { mode: 'bigint' }).notNull(),
    createdAt: text('created_at').notNull(),
    updatedAt: text('updated_at'),
    /** JSON, never looked into here. */
    links: text('links').notNull(),
    /** Of its fields alone, where it takes them to tell whether it has moved in its list. */
    content: text('content'),
  },
  (t) => [
    primaryKey({ columns: [t.object, t.id] }),
    index('record_digest_created').on(t.object, t.createdAt, t.id),
  ],
);

/** Records that complete rounds did not show any more. */
export const scanMissing = controlSchema.table(
  'scan_missing',
  {
    object: text('object').notNull(),
    id: text('id').notNull(),
    /** Complete rounds in a row without it. */
    rounds: integer('rounds').notNull(),
    noticedAt: instant('noticed_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [primaryKey({ columns: [t.object, t.id] })],
);
