ALTER TABLE "clarify_sync"."activity_feed" ADD COLUMN "past_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "activity_feed_past" ON "clarify_sync"."activity_feed" USING btree ("object","record_id") WHERE "clarify_sync"."activity_feed"."past_at" is null and "clarify_sync"."activity_feed"."read_version" is not null;
--> statement-breakpoint
COMMENT ON COLUMN clarify_sync.activity_feed.past_at IS 'When its history was made to reach back by it, as far as it tells; null before.';
--> statement-breakpoint
-- Two more columns of a history are its own.
CREATE OR REPLACE FUNCTION clarify_sync.history_statement(table_name text, touched text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format(
      'WITH touched AS MATERIALIZED (%2$s), closed AS (
         UPDATE clarify_history.%1$I AS h
            SET _valid_to = greatest($1, h._valid_from + interval ''1 microsecond''),
                _ended_by = CASE WHEN t.id IS NULL THEN ''delete'' ELSE ''update'' END
           FROM touched AS k LEFT JOIN clarify.%1$I AS t ON t.id = k.id
          WHERE h.id = k.id AND h._valid_to IS NULL
            AND (t.id IS NULL OR (%3$s) IS DISTINCT FROM (%4$s))
         RETURNING h.id, h._valid_to)
       INSERT INTO clarify_history.%1$I (_valid_from, _operation, %5$s)
       SELECT coalesce(c._valid_to,
                greatest($1, (SELECT max(o._valid_to) FROM clarify_history.%1$I AS o WHERE o.id = k.id))), $2, %6$s
         FROM touched AS k JOIN clarify.%1$I AS t ON t.id = k.id LEFT JOIN closed AS c ON c.id = k.id
        WHERE c.id IS NOT NULL
           OR NOT EXISTS (SELECT FROM clarify_history.%1$I AS o WHERE o.id = k.id AND o._valid_to IS NULL)',
      $1, $2,
      -- When we last wrote a row is no part of what it says.
      string_agg(format('h.%I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> '_synced_at'),
      string_agg(a.shown, ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> '_synced_at'),
      string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
      string_agg(a.shown, ', ' ORDER BY a.attnum))
    FROM (
      SELECT c.*, c.atttypid = ANY('{int2,int4,float8}'::regtype[]) AS is_number,
             -- By its text: the other way a double loses its last digits.
             CASE c.atttypid WHEN 'float8'::regtype THEN format('t.%I::text::numeric', c.attname)
                             ELSE format('t.%I', c.attname) END AS shown
        FROM pg_attribute AS c) AS a
    JOIN pg_attribute AS h ON h.attname = a.attname
     AND (h.atttypid = a.atttypid OR (a.is_number AND h.atttypid = 'numeric'::regtype))
   WHERE a.attrelid = to_regclass(format('clarify.%I', $1))
     AND h.attrelid = to_regclass(format('clarify_history.%I', $1))
     AND a.attnum > 0 AND NOT a.attisdropped AND NOT h.attisdropped
     AND a.attname NOT IN ('_valid_from', '_valid_to', '_operation', '_ended_by', '_reconstructed', '_unknown')
$$;
