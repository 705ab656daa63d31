ALTER TABLE "clarify_sync"."outbox" ADD COLUMN "approved_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "outbox_deletes" ON "clarify_sync"."outbox" USING btree ("object","done_at") WHERE "clarify_sync"."outbox"."op" = 'delete';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.outbox.approved_at IS
  'When a person said that this delete may go although it is one of many.';
