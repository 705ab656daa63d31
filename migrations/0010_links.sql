CREATE TABLE "clarify_sync"."sweep" (
	"object" text PRIMARY KEY NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	"watermark" timestamp with time zone,
	"pages" integer DEFAULT 0 NOT NULL,
	"total_pages" integer,
	"requests" integer DEFAULT 0 NOT NULL,
	"records_read" bigint DEFAULT 0 NOT NULL,
	"linked" text[] DEFAULT '{}' NOT NULL,
	"problem" text,
	"updated_at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "outbox_links" ON "clarify_sync"."outbox" USING btree ("object","record_id") WHERE "clarify_sync"."outbox"."op" in ('link', 'unlink');--> statement-breakpoint
CREATE INDEX "outbox_links_due" ON "clarify_sync"."outbox" USING btree ("object","id") WHERE "clarify_sync"."outbox"."op" in ('link', 'unlink') and "clarify_sync"."outbox"."state" in ('pending', 'sending', 'parked');--> statement-breakpoint
COMMENT ON TABLE clarify_sync.sweep IS
  'The rolling sweep: every page of an object is read again within the configured interval, a few at a time.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.object IS 'The object being swept.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.started_at IS 'When the round under way, or the last one, began.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.finished_at IS
  'When that round came to its end; null while it is under way.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.watermark IS
  'Everything created before this has been read again in this round; null at its start.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.pages IS 'Pages read in this round.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.total_pages IS
  'Pages the round takes, as far as Clarify says; null at its start.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.requests IS
  'Requests of this round: its pages, and those that complete long lists of links.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.records_read IS 'Records read in this round.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.linked IS
  'Link tables of this object that a complete read has filled; one that is missing is read at once.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.problem IS
  'Why the last round was not complete, or which links Clarify does not tell; null where all is well.';
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.sweep.updated_at IS 'When this row was last written.';
--> statement-breakpoint
-- One entry per link, as a change of the field that lists the other end: made, it is
-- {field: {base: null, value: id}}, taken away {field: {base: id, value: null}}; see
-- docs/decisions/005-links.md. Arguments: object, field and column of this end, object and column
-- of the other.
CREATE OR REPLACE FUNCTION clarify_sync.capture_link() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  source text;
  written boolean;
  push boolean;
  closed record;
  side record;
  missing text;
BEGIN
  IF clarify_sync.is_own_write() THEN
    RETURN NULL;
  END IF;
  IF TG_NARGS <> 5 THEN
    RAISE EXCEPTION USING ERRCODE = 'CS009', MESSAGE = format(
      'clarify-sync: %I.%I cannot be written before the service has brought it up to date; start it once',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  -- A row that is updated is one link less and one more; one that stays as it is, neither.
  source := format(CASE TG_OP
    WHEN 'INSERT' THEN 'SELECT ''link'' AS op, %1$I AS here, %2$I AS there FROM new_rows'
    WHEN 'DELETE' THEN 'SELECT ''unlink'' AS op, %1$I AS here, %2$I AS there FROM old_rows'
    ELSE 'SELECT ''unlink'' AS op, g.* FROM (SELECT %1$I, %2$I FROM old_rows EXCEPT
                                            SELECT %1$I, %2$I FROM new_rows) AS g(here, there)
          UNION ALL
          SELECT ''link'', c.* FROM (SELECT %1$I, %2$I FROM new_rows EXCEPT
                                     SELECT %1$I, %2$I FROM old_rows) AS c(here, there)'
    END, TG_ARGV[2], TG_ARGV[4]);
  EXECUTE format('SELECT EXISTS (SELECT FROM (%s) AS w)', source) INTO written;
  IF NOT written THEN
    RETURN NULL;
  END IF;

  SELECT m.object, coalesce(m.refusal, 'Clarify no longer lists this object') AS reason INTO closed
    FROM clarify_sync.mirror AS m
   WHERE m.object IN (TG_ARGV[0], TG_ARGV[3]) AND (m.removed_at IS NOT NULL OR m.refusal IS NOT NULL)
   ORDER BY m.object LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: %I.%I cannot be written here, for it links %s: %s',
      TG_TABLE_SCHEMA, TG_TABLE_NAME, closed.object, closed.reason);
  END IF;
  SELECT i.push INTO push FROM clarify_sync.installation AS i;
  IF push IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = format(
      'clarify-sync: push is off, so local writes to %I.%I are refused; set CLARIFY_SYNC_PUSH=on and restart',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;

  FOR side IN
    SELECT m.object, m.table_name, s.name, s.column_name
      FROM (VALUES (TG_ARGV[0], 'here', TG_ARGV[2]), (TG_ARGV[3], 'there', TG_ARGV[4]))
           AS s(object, name, column_name)
      JOIN clarify_sync.mirror AS m USING (object)
     WHERE TG_OP <> 'DELETE'
  LOOP
    -- By an old id as well: the id a row was born with stands for it for ever.
    EXECUTE format(
        'SELECT min(w.%1$I) FROM (%2$s) AS w
          WHERE w.op = ''link''
            AND NOT EXISTS (SELECT FROM clarify.%3$I AS t WHERE t.id = w.%1$I)
            AND NOT EXISTS (SELECT FROM clarify.%3$I AS t
                             WHERE t.id = clarify_sync.current_id($1, w.%1$I))',
        side.name, source, side.table_name)
      INTO missing USING side.object;
    IF missing IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'CS009', MESSAGE = format(
        'clarify-sync: %I.%I links rows that are there: clarify.%I has none whose id is %L, given as %I',
        TG_TABLE_SCHEMA, TG_TABLE_NAME, side.table_name, missing, side.column_name);
    END IF;
  END LOOP;

  EXECUTE format(
      'INSERT INTO clarify_sync.outbox (object, record_id, op, changes)
       SELECT $1, h.id, w.op, jsonb_build_object($2, CASE w.op
                WHEN ''link'' THEN jsonb_build_object(''base'', NULL, ''value'', t.id)
                ELSE jsonb_build_object(''base'', t.id, ''value'', NULL) END)
         FROM (%s) AS w
        CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (
                SELECT FROM clarify_sync.id_map AS i WHERE i.object = $1 AND i.old_id = w.here)
                THEN clarify_sync.current_id($1, w.here) ELSE w.here END) AS h(id)
        CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (
                SELECT FROM clarify_sync.id_map AS i WHERE i.object = $3 AND i.old_id = w.there)
                THEN clarify_sync.current_id($3, w.there) ELSE w.there END) AS t(id)', source)
    USING TG_ARGV[0], TG_ARGV[1], TG_ARGV[3];
  PERFORM pg_notify('clarify_sync_outbox', TG_ARGV[0]);
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.capture_link() IS
  'Trigger: puts local writes to a link table into the outbox, or refuses them (SQLSTATE CS…).';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.refuse_user_write() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT clarify_sync.is_own_write() THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: %I.%I cannot be written here: users are managed in Clarify',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.refuse_user_write() IS
  'Trigger: refuses local writes to the table of users (SQLSTATE CS002).';
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.refuse_user_write() FROM PUBLIC;
