-- What a row can take is what can come back: a list with a NULL or a list in it, or JSON without
-- end, would never equal its record. And a program that writes back all that it read of a row, as
-- many do, changes nothing by knowing instants to the millisecond.

CREATE FUNCTION clarify_sync.reads_alike(a jsonb, b jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF jsonb_typeof(a) IS DISTINCT FROM jsonb_typeof(b) THEN
    RETURN false;
  END IF;
  CASE jsonb_typeof(a)
    WHEN 'number' THEN
      RETURN a = b OR (abs(a::numeric) < 1e300 AND abs(b::numeric) < 1e300 AND a::float8 = b::float8);
    WHEN 'object' THEN
      RETURN NOT EXISTS (
        SELECT FROM jsonb_each(a) AS l(key, value) FULL JOIN jsonb_each(b) AS r(key, value) USING (key)
         WHERE clarify_sync.reads_alike(l.value, r.value) IS NOT TRUE);
    WHEN 'array' THEN
      RETURN NOT EXISTS (
        SELECT FROM jsonb_array_elements(a) WITH ORDINALITY AS l(value, place)
          FULL JOIN jsonb_array_elements(b) WITH ORDINALITY AS r(value, place) USING (place)
         WHERE clarify_sync.reads_alike(l.value, r.value) IS NOT TRUE);
    ELSE
      RETURN a IS NOT DISTINCT FROM b;
  END CASE;
END $$;
--> statement-breakpoint
COMMENT ON FUNCTION clarify_sync.reads_alike(jsonb, jsonb) IS
  'Whether two values are the same to a program that knows numbers as doubles, as JavaScript does.';
--> statement-breakpoint
-- Turns one statement's rows into outbox entries, in one pass over its transition tables.
CREATE OR REPLACE FUNCTION clarify_sync.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET intervalstyle = 'postgres'
SET bytea_output = 'hex'
SET extra_float_digits = 1
SET quote_all_identifiers = off
SET jit = off
SET work_mem = '64MB'
AS $$
DECLARE
  mirrored record;
  push boolean;
  refusal text;
  -- SQL: the row's id, the rows with both their images, the text of an entry's members.
  id text;
  source text;
  changed text;
  members text;
  rest text;
  offences text;
  written boolean;
  entries bigint;
  offence text;
  cure integer;
BEGIN
  IF clarify_sync.is_own_write() THEN
    RETURN NULL;
  END IF;

  SELECT m.object, m.refusal, m.delete_policy, m.removed_at, format('clarify.%I', m.table_name) AS label
    INTO mirrored
    FROM clarify_sync.mirror AS m
   WHERE m.table_name = TG_TABLE_NAME AND TG_TABLE_SCHEMA = 'clarify';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'CS010', MESSAGE = format(
      'clarify-sync: %I.%I is not known as a mirror table, so it cannot be written; give it back the name it had',
      TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;

  -- Old and new image of a row stand at the same place of their tables. Its id would not do to
  -- pair them: a statement can write one row twice, by foreign keys that cascade. A call takes at
  -- most 100 arguments, hence the chunks.
  WITH col AS (
    SELECT * FROM clarify_sync.captured_columns(TG_RELID, mirrored.object, mirrored.label, TG_OP)
  ), chunk AS (
    SELECT c.role = 'rest' AS of_rest, format('concat(%s)', string_agg(c.member, ', ' ORDER BY c.place)) AS terms
      FROM col AS c WHERE c.member IS NOT NULL GROUP BY c.role = 'rest', c.place / 40
  )
  SELECT format(CASE TG_OP
             WHEN 'INSERT' THEN '(SELECT row_number() OVER ()%1$s FROM new_rows) AS n(place%2$s)'
             WHEN 'DELETE' THEN '(SELECT row_number() OVER ()%1$s FROM old_rows) AS o(place%2$s)'
             ELSE '(SELECT row_number() OVER ()%1$s FROM old_rows) AS o(place%2$s) JOIN '
               '(SELECT row_number() OVER ()%1$s FROM new_rows) AS n(place%2$s) USING (place)' END,
           string_agg(format(', %I', c.name), '' ORDER BY c.place),
           string_agg(format(', c%s', c.place), '' ORDER BY c.place)),
         string_agg(format('%s.c%s', CASE TG_OP WHEN 'DELETE' THEN 'o' ELSE 'n' END, c.place), '')
           FILTER (WHERE c.role = 'id'),
         CASE TG_OP WHEN 'UPDATE' THEN string_agg(c.changed, ' OR ') ELSE 'true' END,
         (SELECT string_agg(terms, ' || ') FROM chunk WHERE NOT of_rest),
         (SELECT string_agg(terms, ' || ') FROM chunk WHERE of_rest),
         string_agg(format(' WHEN %s THEN %s', c.offends, c.offence), '' ORDER BY c.place)
           FILTER (WHERE c.offence IS NOT NULL)
    INTO source, id, changed, members, rest, offences
    FROM col AS c;
  IF rest IS NOT NULL THEN
    members := format('%s || concat('',"_row":{"base":{'', right(%s, -1), ''},"value":null}'')', members, rest);
  END IF;

  SELECT i.push INTO push FROM clarify_sync.installation AS i;
  refusal := CASE
    WHEN mirrored.removed_at IS NOT NULL THEN 'CS002 %s cannot be written here: Clarify no longer lists this object'
    WHEN mirrored.refusal IS NOT NULL THEN 'CS002 %s cannot be written here: ' || replace(mirrored.refusal, '%', '%%')
    WHEN push IS NOT TRUE
      THEN 'CS001 push is off, so local writes to %s are refused; set CLARIFY_SYNC_PUSH=on and restart'
    WHEN TG_OP = 'DELETE' AND mirrored.delete_policy = 'refuse'
      THEN 'CS008 rows of %s are not deleted here; delete the record in Clarify, or set its delete policy to push or park'
  END;
  IF refusal IS NOT NULL THEN
    -- Not where only users' own columns changed, or nothing at all.
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %s)', source, changed) INTO written;
    IF written THEN
      RAISE EXCEPTION USING ERRCODE = left(refusal, 5),
        MESSAGE = 'clarify-sync: ' || format(substr(refusal, 7), mirrored.label);
    END IF;
    RETURN NULL;
  END IF;

  -- An offence is told once the statement is done: an error raised inside would quote all of it.
  EXECUTE format(
      'WITH entered AS (
         INSERT INTO clarify_sync.outbox (object, record_id, op, state, last_error, changes)
         SELECT $1, id, $2, $3, coalesce(offence, $4),
                CASE WHEN offence IS NULL THEN (''{'' || right(members, -1) || ''}'')::jsonb ELSE ''{}'' END
           FROM (SELECT %s AS id, %s AS members, %s AS offence FROM %s %s OFFSET 0) AS entry %s
         RETURNING last_error)
       SELECT count(*), min(last_error) FROM entered',
      id, members, coalesce('CASE' || offences || ' END', 'NULL'), source,
      -- In the order of the writes. OFFSET 0 keeps the condition out, or all is worked out twice.
      CASE TG_OP WHEN 'UPDATE' THEN 'ORDER BY place' END,
      CASE TG_OP WHEN 'UPDATE' THEN 'WHERE members <> '''' OR offence IS NOT NULL' END)
    INTO entries, offence
    USING mirrored.object, lower(TG_OP),
          CASE WHEN TG_OP = 'DELETE' AND mirrored.delete_policy = 'park' THEN 'parked' ELSE 'pending' END,
          CASE WHEN TG_OP = 'DELETE' AND mirrored.delete_policy = 'park' THEN 'delete-needs-approval' END;
  IF offence LIKE 'CS___ %' THEN
    -- Where there is more to say, the cure stands before the reason.
    cure := nullif(position(chr(31) IN offence), 0);
    IF cure IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = left(offence, 5), MESSAGE = substr(offence, 7);
    END IF;
    RAISE EXCEPTION USING ERRCODE = left(offence, 5), MESSAGE = substr(offence, cure + 1),
      HINT = substr(offence, 7, cure - 7);
  END IF;
  IF entries > 0 THEN
    PERFORM pg_notify('clarify_sync_outbox', mirrored.object);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION clarify_sync.captured_columns(
  relation oid, object text, label text, op text,
  OUT place integer, OUT name text, OUT role text, OUT changed text, OUT member text,
  OUT offends text, OUT offence text
) RETURNS SETOF record
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
    SELECT *, row_number() OVER (ORDER BY attnum)::integer AS place, format('%s.%I', $3, name) AS full_name,
           CASE WHEN stands = 'id' OR $4 <> 'DELETE' THEN stands
                WHEN stands = 'field' OR name = '_extra' THEN 'field'
                ELSE 'rest' END AS role,
           -- Nothing and an empty collection are equal, and so are both kinds of null.
           CASE type WHEN 'text[]' THEN 'nullif(%s.c%s, ''{}'')'
                     WHEN 'jsonb' THEN 'nullif(%s.c%s, ''null'')' ELSE '%s.c%s' END AS plain,
           -- Instants as Clarify writes them, whatever the writer's time zone; JSON that looks like
           -- what the outbox escapes is escaped itself.
           CASE WHEN stands <> 'field' THEN 'to_json(%1$s)'
                WHEN type = 'timestamp with time zone'
                THEN 'to_json(to_char(%1$s, ''YYYY-MM-DD"T"HH24:MI:SS.MS"Z"''))'
                WHEN type = 'jsonb'
                THEN 'CASE WHEN %1$s ? ''$json'' THEN json_build_object(''$json'', (%1$s)::text) ELSE to_json(%1$s) END'
                ELSE 'to_json(%1$s)' END AS json,
           -- Many programs know instants to the millisecond and numbers as doubles. Who reads a row
           -- and writes all of it back has changed nothing by that.
           CASE WHEN type = 'timestamp with time zone'
                THEN ' AND date_trunc(''milliseconds'', n.c%1$s) IS DISTINCT FROM date_trunc(''milliseconds'', o.c%1$s)'
                WHEN name = '_extra' THEN ' AND NOT coalesce(clarify_sync.reads_alike(n.c%1$s, o.c%1$s), false)'
                ELSE '' END AS beyond
      FROM live WHERE stands <> 'own' OR $4 = 'DELETE'
  ), compared AS (
    SELECT *, format(json, format(plain, 'o', place)) AS old_json,
           format(json, format(plain, 'n', place)) AS new_json,
           CASE $4 WHEN 'INSERT' THEN format(plain, 'n', place) || ' IS NOT NULL'
                   WHEN 'DELETE' THEN format(plain, 'o', place) || ' IS NOT NULL'
                   ELSE format('(%s IS DISTINCT FROM %s%s)', format(plain, 'n', place), format(plain, 'o', place),
                     format(beyond, place))
            END AS changed,
           max(place) FILTER (WHERE stands = 'id') OVER () AS id_place,
           max(place) FILTER (WHERE name = '_extra') OVER () AS extra_place
      FROM placed
  ), judged AS (
    SELECT *,
           CASE WHEN $4 = 'DELETE' THEN NULL
                WHEN stands = 'id' AND $4 = 'INSERT' THEN format('n.c%s NOT LIKE ''local:%%''', place)
                WHEN name = '_local_id' AND $4 = 'INSERT' THEN format('n.c%s IS DISTINCT FROM n.c%s', place, id_place)
                WHEN stands <> 'field' THEN 'true'
                WHEN type = 'numeric' THEN format('(abs(n.c%1$s) >= 1e12 OR n.c%1$s <> round(n.c%1$s, 4))', place)
                  -- What Clarify holds may go back as it is: the row was edited, and then again.
                  || CASE $4 WHEN 'UPDATE' THEN format(
                       ' AND to_jsonb(n.c%1$s) IS DISTINCT FROM o.c%2$s -> %3$L AND NOT EXISTS (
                           SELECT FROM clarify_sync.outbox AS w
                            WHERE w.object = %4$L AND w.record_id = o.c%5$s AND w.state IN (''pending'', ''sending'', ''parked'')
                              AND w.changes -> %3$L -> ''base'' = to_jsonb(n.c%1$s))',
                       place, extra_place, coalesce(field, name), $2, id_place) ELSE '' END
                WHEN type = 'text[]' THEN format(
                  'CASE WHEN array_ndims(n.c%1$s) > 1 THEN true ELSE array_position(n.c%1$s, NULL) IS NOT NULL END', place)
                WHEN type = 'jsonb' THEN format('jsonb_path_exists(n.c%1$s, ''strict $.**{1000}'')', place)
                WHEN type IN ('date', 'timestamp with time zone')
                THEN format('(n.c%1$s < ''0001-01-01'' OR n.c%1$s >= ''10000-01-01'')', place)
            END AS offends,
           CASE WHEN stands = 'id' AND $4 = 'INSERT' THEN format(
                  '%s has no such row to update, and a new row gets its id from Clarify; leave id out, or give local:<uuid>', $3)
                WHEN stands = 'id' THEN format('the id of a row of %s cannot be changed', $3)
                WHEN stands = 'system' THEN format('%s is kept by clarify-sync and cannot be written; leave it out', full_name)
                WHEN stands = 'removed' THEN format(
                  '%s belongs to a field that Clarify no longer has; the column keeps its last data and cannot be written', full_name)
                WHEN type = 'numeric' THEN format(
                  '%s takes at most 12 digits before the decimal point and 4 after it, as Clarify does; round the value', full_name)
                WHEN type = 'text[]' THEN format(
                  '%s takes a plain list of texts, as Clarify does: no NULL in it, and no list', full_name)
                WHEN type = 'jsonb' THEN format('%s takes JSON of at most 1000 levels', full_name)
                ELSE format('%s takes a time in the years 1 to 9999, in UTC, as Clarify does; give one, or NULL', full_name)
            END AS reason,
           CASE stands WHEN 'id' THEN 'CS004' WHEN 'system' THEN 'CS003' WHEN 'removed' THEN 'CS006' ELSE 'CS005'
            END AS code,
           CASE WHEN stands <> 'field' THEN NULL
                WHEN type = 'numeric'
                THEN 'A binary float has digits that nobody wrote: 1.1 arrives as 1.100000000000000088…; write round(value, 4), or pass decimals or text instead of floats.'
                WHEN type = 'text[]'
                THEN 'array_remove(list, NULL) takes NULLs out; a list inside a list has to become one list.'
                WHEN type = 'jsonb' THEN 'Clarify takes no value that nests so deeply; flatten it.'
                ELSE 'Write a real day or instant; NULL clears the field.' END || chr(31) AS cure,
           -- Text that is never null: the value, or what stands for its absence.
           CASE $4 WHEN 'INSERT' THEN '''null'''
                -- What a column cannot hold is in _extra: that is what both sides last agreed on.
                WHEN 'UPDATE' THEN format('coalesce(%s::text, (o.c%s -> %L)::text, ''null'')',
                  old_json, extra_place, coalesce(field, name))
                ELSE old_json || '::text' END AS base,
           CASE $4 WHEN 'DELETE' THEN '''null'''
                ELSE format('coalesce(%s::text, ''null'')', new_json) END AS value
      FROM compared
  )
  SELECT place, name, role, changed,
         CASE role
           WHEN 'field' THEN format('CASE WHEN %s THEN %L || %s || '',"value":'' || %s || ''}'' END', changed,
             format(',%s:{"base":', to_json(coalesce(field, name))), base, value)
           WHEN 'rest' THEN format('CASE WHEN %s THEN %L || %s::text END', changed,
             format(',%s:', to_json(name)), old_json)
         END,
         changed || coalesce(' AND ' || offends, ''),
         CASE WHEN offends IS NOT NULL
              THEN format('concat(%L, quote_literal(n.c%s), '')'')', format('%s %sclarify-sync: %s (row ', code, cure, reason), id_place)
         END
    FROM judged
$$;
