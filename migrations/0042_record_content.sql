ALTER TABLE "clarify_sync"."record_digest" ADD COLUMN "content" text;--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.content IS 'Of its fields alone, where a list has positions and nothing else: what has changed has moved.';
