CREATE TABLE "clarify_sync"."scan_missing" (
	"object" text NOT NULL,
	"id" text NOT NULL,
	"rounds" integer NOT NULL,
	"noticed_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "scan_missing_object_id_pk" PRIMARY KEY("object","id")
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."scan_page" (
	"object" text NOT NULL,
	"page" integer NOT NULL,
	"pass" integer NOT NULL,
	"ids" text[] NOT NULL,
	"joined" text[] NOT NULL,
	CONSTRAINT "scan_page_object_page_pk" PRIMARY KEY("object","page")
);
--> statement-breakpoint
ALTER TABLE "clarify_sync"."tombstone" DROP CONSTRAINT "tombstone_reason";--> statement-breakpoint
ALTER TABLE "clarify_sync"."sweep" ADD COLUMN "position" jsonb;--> statement-breakpoint
ALTER TABLE "clarify_sync"."tombstone" ADD CONSTRAINT "tombstone_reason" CHECK ("clarify_sync"."tombstone"."reason" in ('deleted', 'merged', 'not_visible', 'archived'));--> statement-breakpoint
COMMENT ON TABLE clarify_sync.scan_page IS 'Whom each page of the round under way showed, where missing from all of them says something.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_page.object IS 'The object being read.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_page.page IS 'Pages of the round, counted from 1.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_page.pass IS 'Readings by positions go over the list more than once: which time it was.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_page.ids IS 'The records on the page.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_page.joined IS 'Those of them that may have come since the round began.';--> statement-breakpoint
COMMENT ON TABLE clarify_sync.scan_missing IS 'Records that complete rounds did not show any more, until it is proven that they are gone.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_missing.object IS 'The object of the record.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_missing.id IS 'Its id.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_missing.rounds IS 'Complete rounds in a row that did not show it.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.scan_missing.noticed_at IS 'When the first of them ended.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.position IS 'Where a reading by positions stands; null where the round reads by creation.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.tombstone.reason IS 'deleted, merged (into another record), not_visible (to this key any more) or archived.';
