ALTER TABLE "clarify_sync"."deferred" DROP CONSTRAINT "deferred_object_id_pk";--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ALTER COLUMN "record" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "kind" text DEFAULT 'apply' NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD CONSTRAINT "deferred_object_id_kind_pk" PRIMARY KEY("object","id","kind");--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "code" text;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "sqlstate" text;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "table_name" text;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "constraint_name" text;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "reason" text;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "next_attempt_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD COLUMN "merged_through" bigint;--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD CONSTRAINT "deferred_kind" CHECK ("clarify_sync"."deferred"."kind" in ('apply', 'remove', 'refer', 'link'));--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD CONSTRAINT "deferred_record" CHECK ("clarify_sync"."deferred"."record" is not null or "clarify_sync"."deferred"."kind" in ('refer', 'link'));--> statement-breakpoint
ALTER TABLE "clarify_sync"."deferred" ADD CONSTRAINT "deferred_reason" CHECK (("clarify_sync"."deferred"."code" is null) = ("clarify_sync"."deferred"."reason" is null));--> statement-breakpoint
COMMENT ON TABLE clarify_sync.deferred IS 'What could not be written to a row when it was due: done as soon as nothing is in the way.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.kind IS 'What is to be done: apply (a record), remove (a row whose record is gone), refer (a reference by an old id), link (links of the record).';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.record IS 'The record as it was read; of a row to remove, its tombstone.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.noticed_at IS 'When it was first put aside.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.code IS 'Why: row-refused, row-differs; null where somebody holds the row.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.sqlstate IS 'What Postgres answered; null where it raised no error.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.table_name IS 'The table of the constraint, else the one that was to be written.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.constraint_name IS 'The constraint that refuses the row, where it is one.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.reason IS 'Why, in words and without a value.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.attempts IS 'How often it was tried.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.next_attempt_at IS 'When it is tried again; sync and pull do so at once.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.deferred.merged_through IS 'The newest outbox entry there was when the record was merged with what waits for it: later edits are merged before they are sent.';
