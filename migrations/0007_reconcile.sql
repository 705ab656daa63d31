ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "deletions_read_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "deletions_absent" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "reconcile_due" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "reconciled_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "clarify_sync"."cursor" ADD COLUMN "reconciled_key" text;--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.deletions_read_at IS
  'When a complete reading of the feed of deletions last began; it holds 30 days.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.deletions_absent IS
  'Whether the server has no feed of deletions, so that comparisons find them.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.reconcile_due IS
  'Whether deletions may have passed unnoticed since the last comparison.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.reconciled_at IS
  'When a comparison with Clarify last came to its end.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.reconciled_key IS
  'Fingerprint of the API key of that comparison: after a change of key removals wait for a person.';
