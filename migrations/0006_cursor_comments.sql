COMMENT ON COLUMN clarify_sync.cursor.updated_moved_at IS
  'When updated_watermark last moved.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.updated_confirmed IS
  'Whether a later walk found nothing behind updated_watermark.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.created_moved_at IS
  'When created_watermark last moved.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.cursor.created_confirmed IS
  'Whether a later walk found nothing behind created_watermark.';
