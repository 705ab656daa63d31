-- History of mirror tables, and notices for whoever wants to react to a change: see
-- docs/decisions/007-history.md.
--
-- The statement that brings versions up to the rows whose ids `touched` selects: closes those that
-- no longer say what the row says, and opens new ones. It compares with the table and not with
-- the transition tables: a statement can write one row twice, and a user's trigger can write it
-- again before ours runs. No two versions of a row overlap, even where the clock is set back.
-- Parameters: $1 the time, $2 what a new version begins with.
CREATE FUNCTION clarify_sync.history_statement(table_name text, touched text) RETURNS text
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
      string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> '_synced_at'),
      string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
      string_agg(format('t.%I', a.attname), ', ' ORDER BY a.attnum))
    FROM pg_attribute AS a
    JOIN pg_attribute AS h ON h.attname = a.attname AND h.atttypid = a.atttypid
   WHERE a.attrelid = to_regclass(format('clarify.%I', $1))
     AND h.attrelid = to_regclass(format('clarify_history.%I', $1))
     AND a.attnum > 0 AND NOT a.attisdropped AND NOT h.attisdropped
     AND a.attname NOT IN ('_valid_from', '_valid_to', '_operation', '_ended_by')
$$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.history_statement(text, text) IS
  'The statement that keep_history() and begin_history() run for a mirror table.';
--> statement-breakpoint
-- A row that was born here goes by its record's id, in history too, and so do references to it:
-- one record is one line of versions. Where the record had a row and a line of its own, that line
-- goes on, and the one of the row born here ends.
CREATE FUNCTION clarify_sync.rename_history(table_name text, old_ids text[], ids text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  moved_from text[];
  moved_to text[];
  reference record;
BEGIN
  EXECUTE format(
      'WITH renamed AS (
         SELECT r.old_id, r.id, EXISTS (SELECT FROM clarify_history.%1$I AS k WHERE k.id = r.id) AS known
           FROM unnest($1, $2) AS r(old_id, id)
       ), ended AS (
         UPDATE clarify_history.%1$I AS h
            SET _valid_to = greatest(clock_timestamp(), h._valid_from + interval ''1 microsecond''),
                _ended_by = ''merge''
           FROM renamed AS r WHERE h.id = r.old_id AND r.known AND h._valid_to IS NULL
       ), moved AS (
         UPDATE clarify_history.%1$I AS h SET id = r.id
           FROM renamed AS r WHERE h.id = r.old_id AND NOT r.known
       )
       SELECT array_agg(old_id), array_agg(id) FROM renamed WHERE NOT known', $1)
    INTO moved_from, moved_to USING $2, $3;
  FOR reference IN
    SELECT m.table_name AS of_table, c.column_name
      FROM clarify_sync.mirror AS own
      JOIN clarify_sync.mirror_column AS c
        ON c.kind = 'reference' AND c.definition -> 'relationship' ->> 'object' = own.object
      JOIN clarify_sync.mirror AS m ON m.object = c.object
      JOIN pg_attribute AS a
        ON a.attrelid = to_regclass(format('clarify_history.%I', m.table_name))
       AND a.attname = c.column_name AND NOT a.attisdropped AND a.atttypid = 'text'::regtype
     WHERE own.table_name = $1 AND moved_from IS NOT NULL
  LOOP
    EXECUTE format(
        'UPDATE clarify_history.%1$I AS h SET %2$I = r.id FROM unnest($1, $2) AS r(old_id, id)
          WHERE h.%2$I = r.old_id AND h.%2$I LIKE ''local:%%''', reference.of_table, reference.column_name)
      USING moved_from, moved_to;
  END LOOP;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.rename_history(text, text[], text[]) IS
  'Gives versions of rows born here, and references to them, the id of their record.';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.keep_history() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
SET work_mem = '64MB'
AS $$
DECLARE
  touched text := 'SELECT DISTINCT id FROM new_rows';
  old_ids text[];
  ids text[];
BEGIN
  IF to_regclass(format('clarify_history.%I', TG_TABLE_NAME)) IS NULL THEN
    -- Somebody dropped it: no reason to refuse the write. The next schema check makes it anew.
    RETURN NULL;
  END IF;
  IF TG_OP = 'DELETE' THEN
    touched := 'SELECT DISTINCT id FROM old_rows';
  ELSIF TG_OP = 'UPDATE' THEN
    -- Only we change an id, and only that of a row born here.
    IF EXISTS (SELECT FROM old_rows WHERE id LIKE 'local:%') THEN
      SELECT array_agg(o.id), array_agg(n.id) INTO old_ids, ids
        FROM (SELECT row_number() OVER () AS place, id FROM old_rows) AS o
        JOIN (SELECT row_number() OVER () AS place, id FROM new_rows) AS n USING (place)
       WHERE o.id <> n.id;
    END IF;
    IF old_ids IS NOT NULL THEN
      PERFORM clarify_sync.rename_history(TG_TABLE_NAME, old_ids, ids);
    END IF;
  END IF;
  EXECUTE clarify_sync.history_statement(TG_TABLE_NAME, touched) USING clock_timestamp(), lower(TG_OP);
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.keep_history() IS
  'Trigger: writes a version of every row that a statement changed, whoever ran it.';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.begin_history(table_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
  EXECUTE clarify_sync.history_statement($1, format(
      'SELECT id FROM clarify.%1$I UNION SELECT id FROM clarify_history.%1$I WHERE _valid_to IS NULL', $1))
    USING clock_timestamp(), 'found';
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.begin_history(text) IS
  'Gives every row of a mirror table a version that says what it says now, where it has none.';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.end_history(table_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format(
      'UPDATE clarify_history.%I
          SET _valid_to = greatest(clock_timestamp(), _valid_from + interval ''1 microsecond''), _ended_by = ''stop''
        WHERE _valid_to IS NULL', $1);
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.end_history(text) IS
  'Closes the versions that stand, for nobody will see what comes after them.';
--> statement-breakpoint
-- One notice per changed row, up to a hundred in a transaction; after that one per object and
-- operation, without an id: Postgres sends equal ones once. Arguments: the object, the column with
-- its id, and for links any third.
CREATE FUNCTION clarify_sync.notify_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  most CONSTANT integer := 100;
  sent integer := coalesce(substring(current_setting('clarify_sync.notified', true) FROM '^\d{1,3}$'), '0')::integer;
  operation text := CASE WHEN TG_NARGS < 3 THEN lower(TG_OP) WHEN TG_OP = 'DELETE' THEN 'unlink' ELSE 'link' END;
  ids text[];
  changed text;
BEGIN
  EXECUTE format('SELECT array_agg(id) FROM (SELECT %I FROM %I LIMIT %s) AS changed(id)',
      TG_ARGV[1], CASE TG_OP WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END, greatest(most - sent, 0) + 1)
    INTO ids;
  IF ids IS NULL THEN
    RETURN NULL;
  END IF;
  sent := sent + cardinality(ids);
  IF sent > most THEN
    ids := ARRAY[NULL];
  ELSE
    PERFORM set_config('clarify_sync.notified', sent::text, true);
  END IF;
  FOREACH changed IN ARRAY ids LOOP
    -- A notice takes less than 8000 bytes, an id any length.
    PERFORM pg_notify('clarify_changes', json_strip_nulls(json_build_object(
      'object', TG_ARGV[0], 'id', CASE WHEN octet_length(changed) < 1000 THEN changed END,
      'operation', operation))::text);
  END LOOP;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.notify_change() IS
  'Trigger: tells listeners of clarify_changes which records changed; a hint, and never the truth.';
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.history_statement(text, text),
  clarify_sync.rename_history(text, text[], text[]), clarify_sync.keep_history(),
  clarify_sync.begin_history(text), clarify_sync.end_history(text), clarify_sync.notify_change() FROM PUBLIC;
