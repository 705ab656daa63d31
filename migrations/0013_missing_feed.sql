ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "deletions_asked_at" timestamp with time zone;--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.deletions_asked_at IS
  'When the server last said so twice in a row: the feed is asked for again a day later.';
