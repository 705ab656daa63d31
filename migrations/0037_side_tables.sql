CREATE TABLE "clarify_sync"."side_page" (
	"part" text NOT NULL,
	"object" text NOT NULL,
	"key" text NOT NULL,
	"page" integer NOT NULL,
	"items" jsonb NOT NULL,
	"total" integer,
	"read_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "side_page_part_object_key_page_pk" PRIMARY KEY("part","object","key","page")
);
--> statement-breakpoint
CREATE TABLE "clarify_sync"."side_reading" (
	"part" text NOT NULL,
	"object" text NOT NULL,
	"key" text NOT NULL,
	"version" text,
	"read_at" timestamp with time zone,
	"due_at" timestamp with time zone DEFAULT clock_timestamp(),
	"attempts" integer DEFAULT 0 NOT NULL,
	"error" text,
	CONSTRAINT "side_reading_part_object_key_pk" PRIMARY KEY("part","object","key")
);
--> statement-breakpoint
CREATE INDEX "side_reading_due" ON "clarify_sync"."side_reading" USING btree ("part","object","due_at") WHERE "clarify_sync"."side_reading"."due_at" is not null;--> statement-breakpoint
COMMENT ON TABLE clarify_sync.side_reading IS 'What is read as one beside the records (the settings, the members of a list, the attachments of a record), and how that went.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_reading.part IS 'The table it is read into, as it is called unless somebody has the name.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_reading.object IS 'The object of the record or of the list; empty where the table is of no object.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_reading.key IS 'The record, the list or the campaign; empty where all of the table is read as one.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_reading.version IS 'The version of the record that it is read for: another one is read for anew.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_reading.read_at IS 'When it was last read as a whole.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_reading.due_at IS 'When it is read next; null: when its version changes.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_reading.attempts IS 'How often it was tried in vain since.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_reading.error IS 'Why it could not be read the last time: a code of docs/errors.md.';--> statement-breakpoint
COMMENT ON TABLE clarify_sync.side_page IS 'Pages of a reading under way that takes more than one, until the last of them is there.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_page.part IS 'As in side_reading.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_page.object IS 'As in side_reading.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_page.key IS 'As in side_reading.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_page.page IS 'Pages of the reading, counted from 0.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_page.items IS 'What is on it: ids, and what the CRM tells of each.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_page.total IS 'How many there are on all pages, as the CRM said with this one.';--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.side_page.read_at IS 'When it was read.';--> statement-breakpoint
CREATE FUNCTION clarify_sync.refuse_side_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT clarify_sync.is_own_write() THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: %I.%I cannot be written here: it shows what the CRM has',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.refuse_side_write() IS
  'Trigger: refuses local writes to tables of what the CRM has beside its records (SQLSTATE CS002).';
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.refuse_side_write() FROM PUBLIC;
