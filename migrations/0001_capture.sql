-- Capture of local writes, see docs/decisions/003-capture.md. Every function is SECURITY DEFINER
-- with a pinned search_path: whoever may write a mirror table needs no right in this schema.

CREATE FUNCTION clarify_sync.current_id(object text, id text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE chain(id, step) AS (
    SELECT $2, 0
    UNION ALL
    -- The limit ends a cycle, which an id that was merged back and forth would make.
    SELECT m.id, chain.step + 1
      FROM chain JOIN clarify_sync.id_map AS m ON m.object = $1 AND m.old_id = chain.id
     WHERE chain.step < 64
  )
  SELECT chain.id FROM chain ORDER BY chain.step DESC LIMIT 1
$$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.current_id(text, text) IS
  'The id a record has now, for any id it has ever had; an unknown id comes back as it is.';
--> statement-breakpoint
-- Our own writes name the secret for the length of their transaction. What a user's trigger writes
-- inside that transaction (depth 2 and more) is a local change like any other.
CREATE FUNCTION clarify_sync.is_own_write() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_trigger_depth() <= 1 AND EXISTS (
    SELECT FROM clarify_sync.installation AS i
     WHERE i.writer_secret = current_setting('clarify_sync.writer', true))
$$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.is_own_write() IS
  'Whether the write that fired the trigger is the synchronisation''s own.';
--> statement-breakpoint
-- Keeps the id a row was born with. An id that was born here and has been pushed since stands for
-- its record: an upsert by it must find that row, or it would create the record a second time.
CREATE FUNCTION clarify_sync.birth() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  known text;
BEGIN
  IF NEW._local_id IS NULL THEN
    NEW._local_id := NEW.id;
  END IF;
  SELECT m.object INTO known
    FROM clarify_sync.mirror AS m JOIN clarify_sync.id_map AS i USING (object)
   WHERE m.table_name = TG_TABLE_NAME AND i.old_id = NEW.id;
  IF FOUND THEN
    NEW.id := clarify_sync.current_id(known, NEW.id);
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.birth() IS
  'Trigger: keeps the id a row is born with, and resolves one whose record exists by now.';
--> statement-breakpoint
CREATE TYPE clarify_sync.captured_column AS (
  place integer, name text, field text, role text,
  changed text, offends text, code text, message text, base text, value text
);
--> statement-breakpoint
COMMENT ON TYPE clarify_sync.captured_column IS
  'What capture() asks about one column, as SQL over o.c<place> (old) and n.c<place> (new).';
--> statement-breakpoint
-- Roles: `field` goes to the outbox; `rest` is only kept when its row is deleted; the others may
-- not change. Users' own columns are nobody's business while their row lives.
CREATE FUNCTION clarify_sync.captured_columns(relation oid, object text, op text)
RETURNS SETOF clarify_sync.captured_column
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH live AS (
    SELECT a.attnum, a.attname::text AS name, c.field, format_type(a.atttypid, NULL) AS type,
           CASE WHEN a.attname = 'id' THEN 'id'
                WHEN a.attname IN ('_local_id', '_created_at', '_updated_at', '_created_by',
                     '_updated_by', '_merged_ids', '_synced_at', '_extra') THEN 'system'
                WHEN c.field IS NULL THEN 'own'
                WHEN c.removed_at IS NOT NULL THEN 'removed'
                ELSE 'field' END AS stands
      FROM pg_attribute AS a
      LEFT JOIN clarify_sync.mirror_column AS c
        ON c.object = $2 AND c.column_name = a.attname AND c.kind <> 'references'
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  ), placed AS (
    SELECT *, row_number() OVER (ORDER BY attnum)::integer AS place,
           CASE WHEN stands = 'id' OR $3 <> 'DELETE' THEN stands
                WHEN stands = 'field' OR name = '_extra' THEN 'field'
                ELSE 'rest' END AS role
      FROM live WHERE stands <> 'own' OR $3 = 'DELETE'
  ), spelled AS (
    SELECT *,
           max(place) FILTER (WHERE stands = 'id') OVER () AS id_place,
           max(place) FILTER (WHERE name = '_extra') OVER () AS extra_place,
           -- Nothing and an empty collection are equal, and so are both kinds of null.
           CASE type WHEN 'text[]' THEN 'nullif(%s.c%s, ''{}'')'
                     WHEN 'jsonb' THEN 'nullif(%s.c%s, ''null'')' ELSE '%s.c%s' END AS plain
      FROM placed
  ), compared AS (
    SELECT *, format(plain, 'o', place) AS old, format(plain, 'n', place) AS new,
           CASE $3 WHEN 'INSERT' THEN format(plain, 'n', place) || ' IS NOT NULL'
                   WHEN 'DELETE' THEN format(plain, 'o', place) || ' IS NOT NULL'
                   ELSE format(plain, 'n', place) || ' IS DISTINCT FROM ' || format(plain, 'o', place)
            END AS changed,
           -- As Clarify writes instants, whatever the writer's time zone.
           CASE WHEN role = 'field' AND type = 'timestamp with time zone'
                THEN 'to_char(%s, ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'')' ELSE '%s' END AS json
      FROM spelled
  )
  SELECT place, name, coalesce(field, name), role, changed,
         CASE WHEN $3 = 'DELETE' THEN 'false'
              WHEN stands = 'id' AND $3 = 'INSERT' THEN format('n.c%s NOT LIKE ''local:%%''', place)
              WHEN name = '_local_id' AND $3 = 'INSERT'
                THEN format('%s AND n.c%s IS DISTINCT FROM n.c%s', changed, place, id_place)
              WHEN stands <> 'field' THEN changed
              WHEN type = 'numeric'
                THEN format('%1$s AND (abs(n.c%2$s) >= 1e12 OR n.c%2$s <> round(n.c%2$s, 4))', changed, place)
              WHEN type IN ('date', 'timestamp with time zone')
                THEN format('%s AND NOT isfinite(n.c%s)', changed, place)
              ELSE 'false' END,
         CASE stands WHEN 'id' THEN 'CS004' WHEN 'system' THEN 'CS003' WHEN 'removed' THEN 'CS006'
                     ELSE 'CS005' END,
         CASE WHEN stands = 'id' AND $3 = 'INSERT'
                THEN '%1$s has no row %3$s to update, and a new row gets its id from Clarify; leave id out, or give local:<uuid>'
              WHEN stands = 'id' THEN 'the id of a row of %1$s cannot be changed (row %3$s)'
              WHEN stands = 'system'
                THEN '%1$s.%2$s is kept by clarify-sync and cannot be written; leave it out (row %3$s)'
              WHEN stands = 'removed'
                THEN 'Clarify no longer has the field of %1$s.%2$s; the column keeps its last data and cannot be written (row %3$s)'
              WHEN type = 'numeric'
                THEN 'Clarify keeps at most 12 digits before the decimal point and 4 after it; round %1$s.%2$s of row %3$s'
              ELSE 'Clarify knows no infinite time; give %1$s.%2$s of row %3$s a real one, or NULL' END,
         CASE WHEN $3 = 'INSERT' THEN 'NULL'
              -- What a column cannot hold stands in _extra: that is what both sides last agreed on.
              WHEN $3 = 'UPDATE' AND extra_place IS NOT NULL
                THEN format('coalesce(to_jsonb(%s), o.c%s -> %L)', format(json, old), extra_place, field)
              ELSE format(json, old) END,
         CASE WHEN $3 = 'DELETE' THEN 'NULL' ELSE format(json, new) END
    FROM compared
$$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.captured_columns(oid, text, text) IS
  'The columns of a mirror table, and what capture() asks about each on INSERT, UPDATE or DELETE.';
--> statement-breakpoint
-- One statement's rows become outbox entries in two passes over its transition tables: first,
-- which columns changed at all and in how many rows; then JSON for those columns alone.
CREATE FUNCTION clarify_sync.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET jit = off
SET work_mem = '64MB'
AS $$
DECLARE
  mirrored record;
  push boolean;
  columns clarify_sync.captured_column[];
  id_place integer;
  -- SQL: the rows with their images, and what is asked of them.
  source text;
  counts text;
  offences text;
  changes text;
  condition text;
  -- By place: in how many rows a column changed, and in how many it may not as it did.
  total bigint;
  hits bigint[];
  faults bigint[];
  offender clarify_sync.captured_column;
  culprit text;
  parked boolean;
BEGIN
  IF clarify_sync.is_own_write() THEN
    RETURN NULL;
  END IF;

  SELECT m.object, m.refusal, m.delete_policy, m.removed_at, format('clarify.%I', m.table_name) AS name
    INTO mirrored
    FROM clarify_sync.mirror AS m
   WHERE m.table_name = TG_TABLE_NAME AND TG_TABLE_SCHEMA = 'clarify';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'CS010', MESSAGE = format(
      'clarify-sync: %I.%I is not known as a mirror table, so it cannot be written; give it back the name it had',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;

  -- Old and new image of a row stand at the same place of their tables. An id would not do to pair
  -- them: one row can be written twice in a statement, by foreign keys that cascade.
  SELECT array_agg(c ORDER BY c.place),
         max(c.place) FILTER (WHERE c.role = 'id'),
         format(CASE TG_OP
             WHEN 'INSERT' THEN '(SELECT row_number() OVER ()%1$s FROM new_rows) AS n(place%2$s)'
             WHEN 'DELETE' THEN '(SELECT row_number() OVER ()%1$s FROM old_rows) AS o(place%2$s)'
             ELSE '(SELECT row_number() OVER ()%1$s FROM old_rows) AS o(place%2$s) JOIN '
               '(SELECT row_number() OVER ()%1$s FROM new_rows) AS n(place%2$s) USING (place)' END,
           string_agg(format(', %I', c.name), '' ORDER BY c.place),
           string_agg(format(', c%s', c.place), '' ORDER BY c.place)),
         string_agg(format('count(CASE WHEN %s THEN 1 END)', c.changed), ', ' ORDER BY c.place),
         string_agg(CASE c.offends WHEN 'false' THEN '0'
           ELSE format('count(CASE WHEN %s THEN 1 END)', c.offends) END, ', ' ORDER BY c.place)
    INTO columns, id_place, source, counts, offences
    FROM clarify_sync.captured_columns(TG_RELID, mirrored.object, TG_OP) AS c;
  EXECUTE format('SELECT count(*), ARRAY[%s]::bigint[], ARRAY[%s]::bigint[] FROM %s', counts, offences, source)
    INTO total, hits, faults;
  -- Only users' own columns changed, or nothing at all.
  IF total = 0 OR (TG_OP = 'UPDATE' AND 0 = ALL (hits)) THEN
    RETURN NULL;
  END IF;

  IF mirrored.removed_at IS NOT NULL OR mirrored.refusal IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'CS002', MESSAGE = format(
      'clarify-sync: %s cannot be written here: %s', mirrored.name,
      coalesce(mirrored.refusal, 'Clarify no longer lists this object'));
  END IF;
  SELECT i.push INTO push FROM clarify_sync.installation AS i;
  IF push IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = 'CS001', MESSAGE = format(
      'clarify-sync: push is off, so local writes to %s are refused; set CLARIFY_SYNC_PUSH=on and restart',
      mirrored.name);
  END IF;
  IF TG_OP = 'DELETE' AND mirrored.delete_policy = 'refuse' THEN
    RAISE EXCEPTION USING ERRCODE = 'CS008', MESSAGE = format(
      'clarify-sync: rows of %s are not deleted here; delete the record in Clarify, or set the object''s delete policy to push or park',
      mirrored.name);
  END IF;
  IF 0 < ANY (faults) THEN
    SELECT c.* INTO offender FROM unnest(columns) AS c WHERE faults[c.place] > 0 ORDER BY c.place LIMIT 1;
    EXECUTE format('SELECT n.c%s FROM %s WHERE %s LIMIT 1', id_place, source, offender.offends) INTO culprit;
    RAISE EXCEPTION USING ERRCODE = offender.code, MESSAGE = 'clarify-sync: ' || format(
      offender.message, mirrored.name, quote_ident(offender.name), quote_literal(culprit));
  END IF;

  -- A column that changed in every row needs no question per row, nor does one that changed alone:
  -- rows without it are left out. A call takes at most 100 arguments.
  WITH hit AS (
    SELECT c.*, format('%L, jsonb_build_object(''base'', %s, ''value'', %s)', c.field, c.base, c.value) AS pair,
           hits[c.place] = total OR (TG_OP = 'UPDATE' AND count(*) OVER () = 1) AS always
      FROM unnest(columns) AS c WHERE c.role = 'field' AND hits[c.place] > 0
  ), rest AS (
    SELECT format('jsonb_build_object(%s)', string_agg(format('%L, o.c%s', name, place), ', ')) AS json
      FROM (SELECT c.name, c.place, row_number() OVER () / 40 AS chunk
              FROM unnest(columns) AS c WHERE c.role = 'rest' AND hits[c.place] > 0) AS c
     GROUP BY chunk
  ), term AS (
    SELECT format('jsonb_build_object(%s)', string_agg(pair, ', ')) AS json
      FROM (SELECT pair, row_number() OVER () / 40 AS chunk FROM hit WHERE always) AS p GROUP BY chunk
    UNION ALL
    SELECT format('CASE WHEN %s THEN jsonb_build_object(%s) ELSE ''{}'' END', changed, pair)
      FROM hit WHERE NOT always
    UNION ALL
    SELECT format('jsonb_build_object(''_row'', jsonb_build_object(''base'', %s, ''value'', NULL))',
                  string_agg(json, ' || '))
      FROM rest HAVING count(*) > 0
  )
  SELECT coalesce((SELECT string_agg(json, ' || ') FROM term), '''{}''::jsonb'),
         CASE WHEN TG_OP = 'UPDATE' AND NOT EXISTS (SELECT FROM hit WHERE hits[place] = total)
              THEN (SELECT string_agg(changed, ' OR ') FROM hit) ELSE 'true' END
    INTO changes, condition;
  parked := TG_OP = 'DELETE' AND mirrored.delete_policy = 'park';
  EXECUTE format(
      'INSERT INTO clarify_sync.outbox (object, record_id, op, changes, state, last_error)
       SELECT $1, %s.c%s, $2, %s, $3, $4 FROM %s WHERE %s %s',
      CASE TG_OP WHEN 'DELETE' THEN 'o' ELSE 'n' END, id_place, changes, source, condition,
      CASE TG_OP WHEN 'UPDATE' THEN 'ORDER BY place' END)
    USING mirrored.object, lower(TG_OP), CASE WHEN parked THEN 'parked' ELSE 'pending' END,
          CASE WHEN parked THEN 'delete-needs-approval' END;
  PERFORM pg_notify('clarify_sync_outbox', mirrored.object);
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.capture() IS
  'Trigger: puts local writes to a mirror table into the outbox, or refuses them (SQLSTATE CS…).';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.capture_link() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  written boolean;
BEGIN
  IF clarify_sync.is_own_write() THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'DELETE' THEN
    written := EXISTS (SELECT FROM old_rows);
  ELSE
    written := EXISTS (SELECT FROM new_rows);
  END IF;
  IF written THEN
    RAISE EXCEPTION USING ERRCODE = 'CS009', MESSAGE = format(
      'clarify-sync: links are not written yet, so %I.%I is read-only; link the records in Clarify',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.capture_link() IS
  'Trigger: refuses local writes to a link table (SQLSTATE CS009).';
--> statement-breakpoint
CREATE FUNCTION clarify_sync.refuse_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT clarify_sync.is_own_write() THEN
    RAISE EXCEPTION USING ERRCODE = 'CS007', MESSAGE = format(
      'clarify-sync: TRUNCATE of %I.%I is refused, for it does not tell which records go; use DELETE',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.refuse_truncate() IS
  'Trigger: refuses TRUNCATE, which names no rows (SQLSTATE CS007).';
--> statement-breakpoint
REVOKE ALL ON FUNCTION clarify_sync.is_own_write(), clarify_sync.birth(), clarify_sync.capture(),
  clarify_sync.captured_columns(oid, text, text), clarify_sync.capture_link(),
  clarify_sync.refuse_truncate() FROM PUBLIC;
--> statement-breakpoint
GRANT USAGE ON SCHEMA clarify_sync TO PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION clarify_sync.current_id(text, text) TO PUBLIC;
