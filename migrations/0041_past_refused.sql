DROP INDEX "clarify_sync"."activity_feed_past";--> statement-breakpoint
ALTER TABLE "clarify_sync"."activity_feed" ADD COLUMN "past_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."activity_feed" ADD COLUMN "past_error" text;--> statement-breakpoint
ALTER TABLE "clarify_sync"."activity_feed" ADD COLUMN "past_due_at" timestamp with time zone DEFAULT 'epoch' NOT NULL;--> statement-breakpoint
CREATE INDEX "activity_feed_past" ON "clarify_sync"."activity_feed" USING btree ("object","past_due_at","record_id") WHERE "clarify_sync"."activity_feed"."past_at" is null and "clarify_sync"."activity_feed"."read_version" is not null;--> statement-breakpoint
ALTER TABLE "clarify_sync"."activity_feed" ADD CONSTRAINT "activity_feed_past_error" CHECK (("clarify_sync"."activity_feed"."past_error" is null) = ("clarify_sync"."activity_feed"."past_attempts" = 0));--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.past_attempts IS 'How often its versions could not be written, in a row.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.past_error IS 'Why: row-refused where a constraint or trigger keeps one out.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.past_due_at IS 'When they are written at the earliest.';
