CREATE TABLE "clarify_sync"."activity" (
	"object" text PRIMARY KEY NOT NULL,
	"table_name" text NOT NULL,
	"looked_at" timestamp with time zone,
	CONSTRAINT "activity_table_name_unique" UNIQUE("table_name")
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."activity_feed" (
	"object" text NOT NULL,
	"record_id" text NOT NULL,
	"wanted" timestamp with time zone NOT NULL,
	"read_version" timestamp with time zone,
	"read_at" timestamp with time zone,
	"is_whole" boolean DEFAULT false NOT NULL,
	"newest_event" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"error" text,
	"next_attempt_at" timestamp with time zone DEFAULT clock_timestamp(),
	CONSTRAINT "activity_feed_object_record_id_pk" PRIMARY KEY("object","record_id"),
	CONSTRAINT "activity_feed_read" CHECK (("clarify_sync"."activity_feed"."read_version" is null) = ("clarify_sync"."activity_feed"."read_at" is null)),
	CONSTRAINT "activity_feed_error" CHECK (("clarify_sync"."activity_feed"."error" is null) = ("clarify_sync"."activity_feed"."attempts" = 0))
);
--> statement-breakpoint
CREATE INDEX "activity_feed_due" ON "clarify_sync"."activity_feed" USING btree ("object","next_attempt_at") WHERE "clarify_sync"."activity_feed"."next_attempt_at" is not null;--> statement-breakpoint
COMMENT ON TABLE clarify_sync.activity IS 'Objects whose past is mirrored, as the CRM tells of it: filled only where objects.*.activities is true.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity.object IS 'The object.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity.table_name IS 'Its table of events, beside the mirror table.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity.looked_at IS 'Rows written before this have been looked at for records whose feeds have to be read.';--> statement-breakpoint
COMMENT ON TABLE clarify_sync.activity_feed IS 'How far the feed of each record was read.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.object IS 'The object of the record.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.record_id IS 'Its id.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.wanted IS 'The record''s version: when it was last edited, else created.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.read_version IS 'The version it had when its feed was last read to the end; null before.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.read_at IS 'When that was; null before.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.is_whole IS 'That reading reached back to the creation, and nothing in the feed was illegible.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.newest_event IS 'The newest event of that reading: the next one goes no further back.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.attempts IS 'How often it failed in a row.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.error IS 'Why: a code of docs/errors.md.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.next_attempt_at IS 'When it is read next; null where nothing is due.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.run.kind IS 'What was done: pull, backfill, reconcile, sweep, users, recordings or activities. Of what is sent the outbox tells.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.trouble.part IS 'What of it does not work: pull, push, sweep, reconcile, users, recordings, activities or hints.';--> statement-breakpoint
CREATE FUNCTION clarify_sync.refuse_activity_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT clarify_sync.is_own_write() THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: %I.%I cannot be written here: it holds what the CRM tells of its records'' past',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.refuse_activity_write() IS
  'Trigger: refuses local writes to tables of events (SQLSTATE CS002).';
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.refuse_activity_write() FROM PUBLIC;
