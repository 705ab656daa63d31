CREATE TABLE "clarify_sync"."backfill_range" (
	"object" text NOT NULL,
	"position" integer NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"created_from" timestamp with time zone,
	"created_before" timestamp with time zone,
	"watermark" timestamp with time zone,
	"done" boolean DEFAULT false NOT NULL,
	"records_read" bigint DEFAULT 0 NOT NULL,
	"stamping" text DEFAULT 'unknown' NOT NULL,
	"updated_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "backfill_range_object_position_pk" PRIMARY KEY("object","position"),
	CONSTRAINT "backfill_range_stamping" CHECK ("clarify_sync"."backfill_range"."stamping" in ('unknown', 'always', 'after_edit'))
);
--> statement-breakpoint
COMMENT ON TABLE clarify_sync.backfill_range IS
  'A first read under way, split by creation time: how far each part has come. Empty where none runs.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.object IS 'The object being read.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.position IS 'The part''s place among the object''s parts, from 0.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.started_at IS
  'Which backfill it belongs to: startedAt of cursor.backfill.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.created_from IS
  'Records created from here on belong to it; null where it begins at the beginning.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.created_before IS
  'Records created before this belong to it; null where it has no end.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.watermark IS
  'Everything of the part created before this has been applied; null at its start.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.done IS 'Whether all of it has been applied.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.records_read IS 'Records applied so far.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.stamping IS
  'Whether its records carry _updated_at from birth: unknown, always or after_edit.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.backfill_range.updated_at IS 'When this row was last written.';
