CREATE TABLE "clarify_sync"."record_digest" (
	"object" text NOT NULL,
	"id" text COLLATE "C" NOT NULL,
	"digest" text NOT NULL,
	"row_place" "tid" NOT NULL,
	"row_version" "xid" NOT NULL,
	"shape" bigint NOT NULL,
	"created_at" text COLLATE "C" NOT NULL,
	"updated_at" text,
	"links" text NOT NULL,
	CONSTRAINT "record_digest_object_id_pk" PRIMARY KEY("object","id")
);
--> statement-breakpoint
CREATE INDEX "record_digest_created" ON "clarify_sync"."record_digest" USING btree ("object","created_at","id");--> statement-breakpoint
-- Ids are random: trying to pack them takes longer than writing them.
ALTER TABLE "clarify_sync"."scan_page" ALTER COLUMN "ids" SET STORAGE EXTERNAL;--> statement-breakpoint
COMMENT ON TABLE clarify_sync.record_digest IS 'Records as they came when their rows were found to say the same: one that comes so again, and whose row was not written since, is not read.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.object IS 'The object of the record.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.id IS 'Its id.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.digest IS 'Of the text it came as, and of what reading it hangs on.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.row_place IS 'Where the row stood, and';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.row_version IS 'the transaction that wrote it: a row elsewhere, or by another, was written since.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.shape IS 'Of the columns that the table had.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.created_at IS 'When the record was created, as it said.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.updated_at IS 'When it was last edited, as it said.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.record_digest.links IS 'The links that it told of, which are compared each time.';
